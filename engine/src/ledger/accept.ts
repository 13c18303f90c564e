import { z } from 'zod';
import { onlyRow } from '../platform/only-row.js';
import type { Pool } from '../platform/postgres.js';
import { textArray } from './array-literal.js';
import type { DecidedBatch, PurchaseRequest } from './decide.js';
import { type OrderRecord, ordersByIdSchema } from './order-record.js';
import { requestArrays } from './request-arrays.js';

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
    const arrays = requestArrays(requests);
    const { rows } = await pool.query<{ outcomes: string[]; orders_found: unknown }>({
      name: 'accept',
      text: `select * from accept($1, $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::integer[], $7::text[],
                                  $8::text[])`,
      values: [
        saleId,
        ...[arrays.orderIds, arrays.shopperIds, arrays.quantities],
        textArray(requests.map(({ paymentMethod = null }) => paymentMethod)),
        ...[arrays.waitsUs, arrays.payments, arrays.addresses],
      ],
    });
    const row = onlyRow(rows, 'accept()');
    const orders = ordersByIdSchema.parse(row.orders_found) ?? {};
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
