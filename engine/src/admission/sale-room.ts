import type { Refusals } from './refusals.js';

/** What one sale may take of a process, so that one which is stuck leaves the others their room. */
export type SaleRoom = {
  /**
   * Whether to refuse a call for the sale, which would wait for its ledger.
   *
   * @param waits it is worth waiting for, however long others of the sale have waited.
   */
  refuses(saleId: number, waits: boolean): boolean;
};

type Backlog = { inHand(saleId: number): number; oldestWaitMs(saleId: number): number };

export type SaleRoomOptions = {
  /** Where calls for a sale are in hand. */
  queues: readonly Backlog[];
  /** Where purchases are decided. */
  decisions: Backlog;
  /** How long the first purchase of a sale may have waited; 0 is for ever. */
  waitMaxMs: number;
  /** Whether one that has `own` of the requests in work has its share of them. */
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
      const own = queues.reduce((sum, queue) => sum + queue.inHand(saleId), 0);
      const refused = hasItsShare(own) || (!waits && isSlow(saleId));
      if (refused) refusals.sale += 1;
      return refused;
    },
  };
}
