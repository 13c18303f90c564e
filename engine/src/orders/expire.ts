import { expireHolds, findSalesWithLapsedHolds } from '../ledger/expire.js';
import type { Stock } from '../ledger/stock.js';
import type { Pool } from '../platform/postgres.js';

export type ExpireOptions = {
  pool: Pool;
  /** Holds ended in one transaction. */
  batchMax: number;
  /** Told after each COMMIT. */
  onStock: (stock: Stock) => void;
};

// With more sales than this the rest wait for the next round, which follows at once.
const salesPerRoundMax = 100;

/**
 * Ends one batch of lapsed holds in every sale that has some. A purchase that comes meanwhile waits for one batch at
 * most: between two batches of a sale its lock is free, and who waited for it has it first.
 *
 * @returns how many holds were ended; 0 when there is nothing left to do.
 */
export function createExpire({ pool, batchMax, onStock }: ExpireOptions): () => Promise<number> {
  return async () => {
    let count = 0;
    for (const saleId of await findSalesWithLapsedHolds(pool, salesPerRoundMax)) {
      const { expired, stock } = await expireHolds(pool, saleId, batchMax);
      if (expired > 0) onStock(stock);
      count += expired;
    }
    return count;
  };
}
