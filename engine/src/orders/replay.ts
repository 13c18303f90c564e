import type { Decision, PurchaseRequest } from '../ledger/decide.js';
import { readOrders, type StoredOrder } from '../ledger/orders.js';
import { coalesce } from '../platform/coalesce.js';
import type { Queryable } from '../platform/postgres.js';

/**
 * Finds what an earlier request with the same id became; undefined if it made no order, `unknown` if that can not be
 * read now. Takes no lock.
 */
export type FindReplay = (
  request: PurchaseRequest,
  productId: number,
) => Promise<Decision | { outcome: 'unknown' } | undefined>;

// 500 ids are about a millisecond of index look-ups, so 20,000 wait for less than a tenth of a second while all is well.
const loads = { keysMax: 500, waitersMax: 20_000, deadlineMs: 2000 };

/** One order by its id; undefined where there is none. */
export type ReadOrder = (orderId: string) => Promise<StoredOrder | undefined>;

export function createReadOrder(db: Queryable): ReadOrder {
  return coalesce<string, StoredOrder | undefined>(ids => readOrders(db, ids), loads);
}

export function createFindReplay(read: ReadOrder): FindReplay {
  return async (request, productId) => {
    let order: StoredOrder | undefined;
    try {
      order = await read(request.orderId);
    } catch {
      return { outcome: 'unknown' };
    }
    if (!order) return undefined;
    const isSame =
      order.shopperId === request.shopperId &&
      order.quantity === request.quantity &&
      order.entrance === (request.entrance ?? 'direct') &&
      order.productId === productId;
    return isSame ? { outcome: 'replayed', order, remaining: order.remaining } : { outcome: 'key-reused' };
  };
}
