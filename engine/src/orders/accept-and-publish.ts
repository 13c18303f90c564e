import { type Acceptance, createAccept } from '../ledger/accept.js';
import type { DecidedBatch, PurchaseRequest } from '../ledger/decide.js';
import { endsWithin } from '../platform/backoff.js';
import type { Pool } from '../platform/postgres.js';
import type { OrderQueue } from '../queue/order-queue.js';

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
