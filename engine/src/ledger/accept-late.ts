import type { Pool } from '../platform/postgres.js';
import { plainArray, textArray } from './array-literal.js';
import { type DecidedBatch, type Digests, digestArrays } from './decide.js';

/** An order that was accepted while the ledger could not be asked. `receivedAt` is the database's time, ISO 8601 in UTC. */
export type LateOrder = {
  orderId: string;
  shopperId: string;
  quantity: number;
  paymentMethod?: string | undefined;
  receivedAt: string;
  digests?: Digests | undefined;
};

/** The id is an order now: this one, or the one that it was before. */
export type Written = { outcome: 'written' };

/** Writes late orders of one sale down; resolves after COMMIT. Safe to call again, and by several at once. */
export function createAcceptLate(pool: Pool) {
  return async (saleId: number, orders: readonly LateOrder[]): Promise<DecidedBatch<Written>> => {
    await pool.query({
      name: 'accept-late',
      text: `select accept_late($1, $2::uuid[], $3::text[], $4::integer[], $5::text[], $6::timestamptz[], $7::text[],
                                $8::text[])`,
      values: [
        saleId,
        plainArray(orders.map(order => order.orderId)),
        textArray(orders.map(order => order.shopperId)),
        plainArray(orders.map(order => order.quantity)),
        textArray(orders.map(({ paymentMethod = null }) => paymentMethod)),
        plainArray(orders.map(order => order.receivedAt)),
        ...digestArrays(orders),
      ],
    });
    return { decisions: orders.map(() => ({ outcome: 'written' })) };
  };
}
