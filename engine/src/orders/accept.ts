import { type Acceptance, createAccept } from '../ledger/accept.js';
import type { DecidedBatch, PurchaseRequest } from '../ledger/decide.js';
import { takeForgottenOrders } from '../ledger/forgotten-orders.js';
import { noteQueueSeen } from '../ledger/queue-watch.js';
import { endsWithin } from '../platform/backoff.js';
import type { Pool } from '../platform/postgres.js';
import type { OrderQueue } from '../queue/queue.js';

// The orders are durable, so that a queue which is slow or silent shall not keep their shoppers waiting. Waiting this long
// has accepting slow down with a queue that is only busy.
const publishPatienceMs = 1000;

export type AcceptOptions = { pool: Pool; queue: OrderQueue; onError: (error: unknown) => void };

/** An order to accept; `forceFail` makes the worker fail it for good, for tests of that road. */
export type OrderRequest = PurchaseRequest & { forceFail?: boolean };

/**
 * Accepts a batch of orders: durable in the ledger first, then told to the queue. An order that the queue did not get to
 * hear of (it was down, or this process died in between) is told again by the relay, so that none is forgotten.
 */
export function createAcceptBatch({ pool, queue, onError }: AcceptOptions) {
  const accept = createAccept(pool);
  return async (saleId: number, requests: readonly OrderRequest[]): Promise<DecidedBatch<Acceptance>> => {
    const accepted = await accept(saleId, requests);
    const queued = requests.filter((_, position) => accepted.decisions[position]?.outcome === 'queued');
    const messages = queued.map(({ orderId, shopperId, quantity, forceFail = false, span }) => ({
      orderId,
      saleId,
      shopperId,
      quantity,
      forceFail,
      traceparent: span?.traceparent,
    }));
    await endsWithin(queue.publish(messages).catch(onError), publishPatienceMs);
    return accepted;
  };
}

const ordersPerRoundMax = 1000;
// An order is forgotten when it is older than everything that waits in the queue, by more than publishing ever takes.
const publishTakesMaxMs = 15_000;

export type RelayOptions = Pick<AcceptOptions, 'pool' | 'queue'> & {
  /** Not in this database, so that the audit has to be told what is known of it. */
  isQueueOutside: boolean;
};

/**
 * Tells the queue again of QUEUED orders of which it can not have heard. One that it did hear of is delivered twice, and
 * decided once.
 *
 * @returns how many orders were told of.
 */
export function createRelay({ pool, queue, isQueueOutside }: RelayOptions): () => Promise<number> {
  return async () => {
    const { oldestAgeMs } = await queue.depth();
    const olderThanMs = oldestAgeMs + publishTakesMaxMs;
    if (isQueueOutside) await noteQueueSeen(pool, olderThanMs);
    const orders = await takeForgottenOrders(pool, olderThanMs, ordersPerRoundMax);
    await queue.publish(orders);
    return orders.length;
  };
}
