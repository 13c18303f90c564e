import type { Entrance } from '../contract/road.js';

/** The percentage of shoppers for each way to buy. Adds up to 100. */
export type Shares = Readonly<Record<Entrance, number>>;

export interface Mix {
  readonly shares: Shares;
  /** Percentage of granted checkouts whose shopper does not come back with the code. */
  readonly abandonPercent: number;
}

// Coprime to 100, so that each hundred in a row takes every value once, spread over the whole range.
const ROAD_STRIDE = 61;
const ABANDON_STRIDE = 37;

/** How shopper `ordinal` buys. Each hundred in a row have exactly the given shares, evenly interleaved. */
export function entranceOf({ shares }: Mix, ordinal: number): Entrance {
  const place = placeOf(ordinal);
  if (place < shares.direct) return 'direct';
  return place < shares.direct + shares.checkout ? 'checkout' : 'queued';
}

/** Whether shopper `ordinal` abandons a checkout. Each hundred checkouts have exactly the given share. */
export function isAbandoned({ shares, abandonPercent }: Mix, ordinal: number): boolean {
  const checkout = Math.floor(ordinal / 100) * shares.checkout + placeOf(ordinal) - shares.direct;
  return (checkout * ABANDON_STRIDE) % 100 < abandonPercent;
}

/** The place of request `ordinal` in its hundred, from 0 to 99. Neighbours are far apart. */
export function placeOf(ordinal: number): number {
  return ((ordinal % 100) * ROAD_STRIDE) % 100;
}
