import type { Decision, PurchaseRequest } from '../ledger/decide.js';
import { readOrders, type StoredOrder } from '../ledger/orders.js';
import { coalesceAsks, promised } from '../platform/batching/coalesce.js';
import type { Queryable } from '../platform/postgres.js';

/**
 * Finds the order that an earlier request with the same id made; undefined if it made none, `unknown` if that cannot be
 * read now. Takes no lock. It calls back instead of making a promise: refused requests with a key arrive in their thousands.
 */
export type FindReplay = (
  request: PurchaseRequest,
  productId: number,
  answer: (found: Decision | { outcome: 'unknown' } | undefined) => void,
) => void;

// 500 ids take about a millisecond of index look-ups, so 20,000 normally wait less than a quarter of a second. A query
// costs this process as much as several refusals, and after a sell-out each request with a key asks.
const loads = { keysMax: 500, waitersMax: 20_000, deadlineMs: 2000, apartMs: 5 };

/** A shopper's order by its id; undefined if there is none, or if it belongs to another shopper. */
export type ReadOrder = (orderId: string, shopperId: string) => Promise<StoredOrder | undefined>;

export type FindOrders = { readOrder: ReadOrder; findReplay: FindReplay };

/** Both read orders that are requested at the same time together. */
export function createFindOrders(db: Queryable): FindOrders {
  const ask = coalesceAsks<string, StoredOrder | undefined>(ids => readOrders(db, ids), loads);
  const read = promised(ask);
  return {
    async readOrder(orderId, shopperId) {
      const order = await read(orderId);
      return order?.shopperId === shopperId ? order : undefined;
    },
    findReplay(request, productId, answer) {
      ask(request.orderId, loaded =>
        answer('error' in loaded ? { outcome: 'unknown' } : replayOf(loaded.value, request, productId)),
      );
    },
  };
}

function replayOf(
  order: StoredOrder | undefined,
  { shopperId, quantity, entrance = 'direct' }: PurchaseRequest,
  productId: number,
): Decision | undefined {
  if (order?.shopperId !== shopperId) return undefined;
  const isSame = order.quantity === quantity && order.entrance === entrance && order.productId === productId;
  return isSame ? { outcome: 'replayed', order, remaining: order.remaining } : { outcome: 'key-reused' };
}
