import { placeOf } from './mix.js';

// Larger than the number of requests in flight, so that the earlier purchase has been answered. And one less than a
// multiple of a hundred: a place of 0 to 38 then follows one of 61 to 99, so that no shopper comes a third time.
const RETURN_AFTER = 999;

/**
 * The shopper of purchase `ordinal`. Of each hundred in a row, `returningPercent` are by a shopper who has already
 * bought.
 *
 * @param returningPercent below 40
 */
export function returningShopper(returningPercent: number, ordinal: number): number {
  return isReturning(returningPercent, ordinal) ? ordinal - RETURN_AFTER : ordinal;
}

/** The number of different shoppers among the first `count` purchases. */
export function countShoppers(returningPercent: number, count: number): number {
  let shoppers = 0;
  for (let ordinal = 0; ordinal < count; ordinal += 1) {
    if (!isReturning(returningPercent, ordinal)) shoppers += 1;
  }
  return shoppers;
}

function isReturning(returningPercent: number, ordinal: number): boolean {
  return ordinal >= RETURN_AFTER && placeOf(ordinal) < returningPercent;
}
