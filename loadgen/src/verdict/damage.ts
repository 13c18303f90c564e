import type { Stock } from '../contract/shop.js';
import type { Claim } from './claim.js';
import type { Tally } from './tally.js';

/** Broken promises, counted. All are 0 if the promises were kept. */
export interface Damage {
  /** Acknowledged orders that do not exist. */
  readonly lost: number;
  /** Orders that differ from their answers. */
  readonly altered: number;
  /** Orders acknowledged twice, and unacknowledged orders beyond the requests without a clear answer. */
  readonly duplicated: number;
  /** Units granted or promised beyond the allocation. */
  readonly oversold: number;
  /** Orders still queued or reserved after the run waited for all to end. */
  readonly stuck: number;
}

export function damageOf(claim: Claim, tally: Tally, { allocation }: Stock): Damage {
  const { acknowledged, traffic, unitsAtStart, mustHaveEnded } = claim;
  const given = tally.confirmedUnits + tally.reservedUnits;
  return {
    lost: acknowledged.unseen(0).count,
    altered: tally.altered,
    duplicated: traffic.recorder.acknowledgedTwice + Math.max(0, tally.unacknowledged - traffic.unknown),
    oversold: Math.max(0, given - allocation, traffic.unitsPromised - unitsAtStart),
    stuck: mustHaveEnded ? tally.open : 0,
  };
}
