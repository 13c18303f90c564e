import { answerReader, INVALID } from '../contract/answer.js';
import { ROAD_CONTRACTS } from '../contract/road.js';
import type { FollowUps } from '../drive/drive.js';
import { type RequestWriter, redeemWriter } from '../http/request.js';
import type { Reading } from '../measure/recorder.js';
import type { Holds, Redemption } from './holds.js';
import { type TrafficOptions, toLine } from './traffic-options.js';

/** The redemption of visit n has the ordinal n plus this. Visits have nine digits. */
export const REDEEMS_FROM = 1_000_000_000;

/** Codes of checkouts, redeemed on the first free connection. */
export interface Redemptions {
  readonly followUps: FollowUps;
  write(ordinal: number): string;
  /** Reads the answer and records the result for the code. */
  read(status: number, body: string, ordinal: number): Reading;
}

export function createRedemptions(options: TrafficOptions, holds: Holds, visits: RequestWriter): Redemptions {
  const { request, journal } = options;
  const writeRedeem = redeemWriter({ ...request, path: ROAD_CONTRACTS.redeem.path }, visits);
  const readAnswer = answerReader('redeem', request);
  return {
    followUps: {
      take: () => {
        const visit = holds.takeDue();
        return visit === -1 ? -1 : visit + REDEEMS_FROM;
      },
      get isEmpty() {
        return holds.isDueEmpty;
      },
    },
    write(ordinal) {
      const visit = ordinal - REDEEMS_FROM;
      return writeRedeem(visit, holds.present(visit));
    },
    read(status, body, ordinal) {
      const visit = ordinal - REDEEMS_FROM;
      const { slug, orderId } = readAnswer(status, body);
      if (orderId !== null && orderId !== holds.orderIdOf(visit)) return INVALID;
      if (orderId !== null) journal?.append(toLine(options, visits, orderId, visit));
      const redemption = REDEMPTIONS[slug];
      if (redemption !== undefined) holds.settle(visit, redemption);
      // The checkout already acknowledged its order.
      return { slug, orderId: null };
    },
  };
}

const REDEMPTIONS: Readonly<Record<string, Redemption>> = {
  confirmed: 'confirmed',
  'code-expired': 'expired',
};
