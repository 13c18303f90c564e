import type { Decision, PurchaseRequest } from '../ledger/decide.js';
import { readOrders, type StoredOrder } from '../ledger/orders.js';
import { coalesce } from '../platform/coalesce.js';
import { OperatingError } from '../platform/errors.js';
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

/** A shopper's order by its id; undefined where there is none, or only another's. */
export type ReadOrder = (orderId: string, shopperId: string) => Promise<StoredOrder | undefined>;

export function createReadOrder(db: Queryable): ReadOrder {
  const read = coalesce<string, StoredOrder | undefined>(ids => readOrders(db, ids), loads);
  return async (orderId, shopperId) => {
    const order = await read(orderId);
    return order?.shopperId === shopperId ? order : undefined;
  };
}

/**
 * As `read`, for as long as orders may be on their way that were accepted while the ledger could not be asked: nobody is
 * told then that there is no such order.
 *
 * @throws OperatingError ORDER_MAY_BE_LATE (retryable)
 */
export function expectLateOrders(read: ReadOrder, mayBeLate: () => boolean): ReadOrder {
  return async (orderId, shopperId) => {
    const order = await read(orderId, shopperId);
    if (order || !mayBeLate()) return order;
    throw new OperatingError(
      'ORDER_MAY_BE_LATE',
      'There is no such order, and PostgreSQL has been down a moment ago: it may not be written down yet',
      'Ask again in a second',
      { retryable: true },
    );
  };
}

/** @param readQueued as `read`, for an order that was sent to the queue. */
export function createFindReplay(read: ReadOrder, readQueued: ReadOrder): FindReplay {
  return async (request, productId) => {
    let order: StoredOrder | undefined;
    const readThis = request.entrance === 'queued' ? readQueued : read;
    try {
      order = await readThis(request.orderId, request.shopperId);
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
