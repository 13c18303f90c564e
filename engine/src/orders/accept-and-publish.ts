import { type Acceptance, createAccept } from '../ledger/accept.js';
import type { DecidedBatch, PurchaseRequest } from '../ledger/decide.js';
import { endsWithin } from '../platform/backoff.js';
import type { Pool } from '../platform/postgres.js';
import type { OrderQueue } from '../queue/order-queue.js';

// The orders are durable, so a slow or silent queue must not keep their shoppers waiting. Waiting this long lets acceptance
// slow down with a queue that is merely busy.
const publishPatienceMs = 1000;

export type AcceptOptions = { pool: Pool; queue: OrderQueue; onError: (error: unknown) => void };

/** An order to accept; `forceFail` makes the worker fail it for good, for tests. */
export type OrderRequest = PurchaseRequest & { forceFail?: boolean };

/**
 * Accepts a batch of orders: first makes them durable in the ledger, then publishes them to the queue. If a message does
 * not reach the queue (it was down, or this process died in between), the relay publishes it again.
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
