import { z } from 'zod';
import type { Pool } from '../platform/postgres.js';
import { plainArray, textArray } from './array-literal.js';
import { type DecidedBatch, digestArrays, type PurchaseRequest } from './decide.js';
import { type OrderRecord, orderRecordSchema } from './order-record.js';

/** `queued`: the order is new and durable. `replayed`: the current state of the order that the same id made before. */
export type Acceptance =
  | { outcome: 'queued' | 'replayed'; order: OrderRecord }
  | { outcome: 'key-reused' | 'sale-not-open' | 'limit-reached' };

/** Accepts a batch of one sale into the queue; resolves after COMMIT. Safe to call again, like Decide. */
export type Accept = (
  saleId: number,
  requests: readonly PurchaseRequest[],
) => Promise<DecidedBatch<Acceptance>>;

export function createAccept(pool: Pool): Accept {
  return async (saleId, requests) => {
    const sentAtMs = performance.now();
    const { rows } = await pool.query<{ outcomes: string[]; orders_found: unknown }>({
      name: 'accept',
      text: `select * from accept($1, $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::integer[], $7::text[],
                                  $8::text[])`,
      values: [
        saleId,
        plainArray(requests.map(request => request.orderId)),
        textArray(requests.map(request => request.shopperId)),
        plainArray(requests.map(request => request.quantity)),
        textArray(requests.map(({ paymentMethod = null }) => paymentMethod)),
        plainArray(requests.map(request => Math.round((sentAtMs - request.receivedAtMs) * 1000))),
        ...digestArrays(requests),
      ],
    });
    const [row] = rows;
    if (!row) throw new Error('accept() returned no row');
    const orders = ordersSchema.parse(row.orders_found) ?? {};
    const decisions = requests.map(({ orderId }, position): Acceptance => {
      const outcome = outcomeSchema.parse(row.outcomes[position]);
      if (outcome !== 'queued' && outcome !== 'replayed') return { outcome };
      const order = orders[orderId];
      if (!order) throw new Error(`accept() reported ${outcome} for order ${orderId} without returning it`);
      return { outcome, order };
    });
    return { decisions };
  };
}

const outcomeSchema = z.enum(['queued', 'replayed', 'key-reused', 'sale-not-open', 'limit-reached']);
const ordersSchema = z.record(z.string(), orderRecordSchema).nullable();
