import type { Stock } from '../contract/shop.js';
import type { Claim } from './claim.js';
import type { Tally } from './tally.js';

/** What the verdict found wrong, counted: all 0 where the promises were kept. */
export interface Damage {
  /** Orders that were acknowledged and do not exist. */
  readonly lost: number;
  /** Orders that are not as they were answered. */
  readonly altered: number;
  /** Orders that were acknowledged twice, or to nobody beyond the requests without a clear answer. */
  readonly duplicated: number;
  /** Units that were given or promised beyond those that there were. */
  readonly oversold: number;
  /** Orders that are still queued or reserved, where it was waited until all had ended. */
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
