import { LRUCache } from 'lru-cache';
import type { Calendar } from '../catalog/calendar.js';
import type { Sale } from '../catalog/sales.js';
import { prefixOf, readOrderPrefixes } from '../ledger/order-prefixes.js';
import type { Queryable } from '../platform/postgres.js';
import type { StockViews } from './stock-views.js';

/**
 * Which orders exist in sales whose last unit is sold, so that the refusal of a new key there needs no query. Sold units
 * never come back, so no process can grant an order in such a sale any more: what was read once stays complete.
 */
export type SoldOutOrders = {
  /**
   * False only if no purchase or checkout has made an order with this id for the sale's product, nor ever will in this
   * sale. True also means "not known": the caller looks it up. From memory; what is missing is read in the background.
   */
  mayExist(sale: Sale, orderId: string): boolean;
  /** Call if the ledger may have been set back, after a failover or a restore. */
  forget(): void;
};

export type SoldOutOrdersOptions = {
  db: Queryable;
  calendar: Pick<Calendar, 'endedLately'>;
  views: Pick<StockViews, 'peek'>;
  /** Bound of the orders kept for one product; of a product with more, none are known. */
  ordersMax?: number;
  nowMs?: () => number;
  onError: (error: unknown) => void;
};

type Entry = {
  /** Of the sale's stock, before its orders were read. */
  version: number;
  readAtMs: number;
  /** When they may be read again. */
  againAtMs: number;
  prefixes: ReadonlySet<number> | undefined;
};

// About 5 MB and 30 ms of reading for one product.
const defaultOrdersMax = 100_000;
const salesMax = 10;
const ageMaxMs = 10_000;
// The version also moves when queued orders are rejected, up to a hundred times a second.
const againMs = 1000;

export function createSoldOutOrders({
  db,
  calendar,
  views,
  ordersMax = defaultOrdersMax,
  nowMs = () => performance.now(),
  onError,
}: SoldOutOrdersOptions): SoldOutOrders {
  const entries = new LRUCache<number, Entry>({ max: salesMax });

  async function read({ saleId, productId }: Sale, version: number): Promise<void> {
    const readAtMs = nowMs();
    const entry: Entry = { version, readAtMs, againAtMs: readAtMs + againMs, prefixes: undefined };
    entries.set(saleId, entry);
    try {
      entry.prefixes = await readOrderPrefixes(db, productId, ordersMax);
      // Counting again which product has too many is not worth a query a second.
      if (!entry.prefixes) entry.againAtMs = readAtMs + ageMaxMs;
    } catch (error) {
      onError(error);
    }
  }

  return {
    mayExist(sale, orderId) {
      const stock = views.peek(sale.saleId);
      if (!stock || stock.sold < stock.allocation) return true;
      const entry = entries.get(sale.saleId);
      const atMs = nowMs();
      if (entry?.prefixes && entry.version === stock.version && atMs < entry.readAtMs + ageMaxMs)
        return entry.prefixes.has(prefixOf(orderId));
      // A first try in the product's previous sale may still be about to COMMIT there.
      if ((!entry || atMs >= entry.againAtMs) && !calendar.endedLately(sale.productId))
        void read(sale, stock.version);
      return true;
    },
    forget: () => entries.clear(),
  };
}
