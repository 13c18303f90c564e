import { expireHolds, findSalesWithLapsedHolds } from '../ledger/expire.js';
import type { Stock } from '../ledger/stock.js';
import { eachItem } from '../platform/jobs/each-item.js';
import type { Run } from '../platform/jobs/job.js';
import type { Pool } from '../platform/postgres.js';

export type ExpireOptions = {
  pool: Pool;
  /** Holds ended in one transaction. */
  batchMax: number;
  /** Called after each COMMIT. */
  onStock: (stock: Stock) => void;
};

/**
 * Ends one batch of lapsed holds in every sale that has some. A purchase that arrives meanwhile waits for at most one
 * batch: between two batches of a sale its lock is free, and the first in line gets it.
 */
export function createExpire({ pool, batchMax, onStock }: ExpireOptions): Run {
  return eachItem({
    kind: 'sale',
    keyOf: (saleId: number) => saleId,
    find: (except, limit) => findSalesWithLapsedHolds(pool, except, limit),
    // With more sales than this, the rest wait for the next round, which follows at once.
    roundMax: 100,
    async work(saleId) {
      const { expired, stock } = await expireHolds(pool, saleId, batchMax);
      if (expired > 0) onStock(stock);
      return expired;
    },
  });
}
