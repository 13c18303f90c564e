import type { Decision, PurchaseRequest } from '../ledger/decide.js';
import { readOrders, type StoredOrder } from '../ledger/orders.js';
import { coalesce } from '../platform/batching/coalesce.js';
import type { Queryable } from '../platform/postgres.js';

/**
 * Finds the order that an earlier request with the same id made; undefined if it made none, `unknown` if that cannot be
 * read now. Takes no lock.
 */
export type FindReplay = (
  request: PurchaseRequest,
  productId: number,
) => Promise<Decision | { outcome: 'unknown' } | undefined>;

// 500 ids take about a millisecond of index look-ups, so 20,000 normally wait less than a tenth of a second.
const loads = { keysMax: 500, waitersMax: 20_000, deadlineMs: 2000 };

/** A shopper's order by its id; undefined if there is none, or if it belongs to another shopper. */
export type ReadOrder = (orderId: string, shopperId: string) => Promise<StoredOrder | undefined>;

export function createReadOrder(db: Queryable): ReadOrder {
  const read = coalesce<string, StoredOrder | undefined>(ids => readOrders(db, ids), loads);
  return async (orderId, shopperId) => {
    const order = await read(orderId);
    return order?.shopperId === shopperId ? order : undefined;
  };
}

export function createFindReplay(read: ReadOrder): FindReplay {
  return async (request, productId) => {
    let order: StoredOrder | undefined;
    try {
      order = await read(request.orderId, request.shopperId);
    } catch {
      return { outcome: 'unknown' };
    }
    if (!order) return undefined;
    const isSame =
      order.quantity === request.quantity &&
      order.entrance === (request.entrance ?? 'direct') &&
      order.productId === productId;
    return isSame ? { outcome: 'replayed', order, remaining: order.remaining } : { outcome: 'key-reused' };
  };
}
