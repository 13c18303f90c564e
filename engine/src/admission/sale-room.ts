import type { Refusals } from './refusals.js';

/** How much of a process one sale may use, so that a stuck sale leaves room for the others. */
export type SaleRoom = {
  /**
   * Whether to refuse a call that would wait for its sale's ledger.
   *
   * @param waits whether the call is worth waiting for, however long others of the sale have waited.
   */
  refuses(saleId: number, waits: boolean): boolean;
};

type Backlog = { inHand(saleId: number): number; oldestWaitMs(saleId: number): number };

export type SaleRoomOptions = {
  /** The queues that hold calls of a sale. */
  queues: readonly Backlog[];
  /** The queue that decides purchases. */
  decisions: Backlog;
  /** How long the first purchase of a sale may have waited; 0 means no limit. */
  waitMaxMs: number;
  /** Whether a sale with `own` of the requests in progress has used its share of them. */
  hasItsShare: (own: number) => boolean;
  refusals: Refusals;
};

export function createSaleRoom(options: SaleRoomOptions): SaleRoom {
  const { queues, decisions, waitMaxMs, hasItsShare, refusals } = options;

  function isSlow(saleId: number): boolean {
    return waitMaxMs > 0 && decisions.oldestWaitMs(saleId) >= waitMaxMs;
  }

  return {
    refuses(saleId, waits) {
      let own = 0;
      for (const queue of queues) own += queue.inHand(saleId);
      const refused = hasItsShare(own) || (!waits && isSlow(saleId));
      if (refused) refusals.sale += 1;
      return refused;
    },
  };
}
