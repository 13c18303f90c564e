import type { Entrance } from '../contract/road.js';

/** Which part of the shoppers comes on which road, in percent of all; together 100. */
export type Shares = Readonly<Record<Entrance, number>>;

export interface Mix {
  readonly shares: Shares;
  /** Percent of the granted checkouts whose shopper does not come back with the code. */
  readonly abandonPercent: number;
}

// Coprime to 100, so that each hundred in a row takes every value once, spread over the whole range.
const ROAD_STRIDE = 61;
const ABANDON_STRIDE = 37;

/** The road of shopper `ordinal`: of each hundred in a row exactly as many as the shares say, evenly interleaved. */
export function entranceOf({ shares }: Mix, ordinal: number): Entrance {
  const place = placeOf(ordinal);
  if (place < shares.direct) return 'direct';
  return place < shares.direct + shares.checkout ? 'checkout' : 'queued';
}

/** Whether shopper `ordinal` never redeems what is checked out: of each hundred checkouts exactly as many as are said. */
export function isAbandoned({ shares, abandonPercent }: Mix, ordinal: number): boolean {
  const checkout = Math.floor(ordinal / 100) * shares.checkout + placeOf(ordinal) - shares.direct;
  return (checkout * ABANDON_STRIDE) % 100 < abandonPercent;
}

/** Where request `ordinal` stands in its hundred, from 0 to 99: neighbours stand far apart. */
export function placeOf(ordinal: number): number {
  return ((ordinal % 100) * ROAD_STRIDE) % 100;
}
