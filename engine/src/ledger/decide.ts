import { z } from 'zod';
import type { Pool } from '../platform/postgres.js';
import type { Stock } from './stock.js';

/**
 * One request to buy. `orderId` stands for the intent: the same id never becomes two orders. `receivedAtMs` is this
 * process's `performance.now()` when the request came in.
 */
export type PurchaseRequest = { orderId: string; shopperId: string; quantity: number; receivedAtMs: number };

/** Money in minor units; `createdAt` is the database's time. */
export type OrderRecord = {
  saleId: number;
  quantity: number;
  totalMinor: number;
  status: 'CONFIRMED';
  createdAt: Date;
};

type Refusal = 'key-reused' | 'sale-not-open' | 'limit-reached' | 'sold-out';

/** `remaining` is the stock right after this request; `replayed` brings the order that the same id made before. */
export type Decision =
  | { outcome: 'confirmed' | 'replayed'; order: OrderRecord; remaining: number }
  | { outcome: Refusal };

type DecidedBatch = { decisions: Decision[]; stock: Stock };

/**
 * Decides a batch of one sale: resolves after COMMIT with one decision per request, in the same order. Safe to call
 * again with the same requests after any failure: what was committed comes back as `replayed`.
 */
export type Decide = (saleId: number, requests: readonly PurchaseRequest[]) => Promise<DecidedBatch>;

export function createDecide(pool: Pool): Decide {
  return async (saleId, requests) => {
    const sentAtMs = performance.now();
    const { rows } = await pool.query<Row>({
      name: 'decide',
      text: 'select * from decide($1, $2::uuid[], $3::text[], $4::integer[], $5::integer[])',
      values: [
        saleId,
        `{${requests.map(request => request.orderId).join()}}`,
        `{${requests.map(request => quoted(request.shopperId)).join()}}`,
        `{${requests.map(request => request.quantity).join()}}`,
        `{${requests.map(request => Math.round((sentAtMs - request.receivedAtMs) * 1000)).join()}}`,
      ],
    });
    const [row] = rows;
    if (!row) throw new Error('decide() returned no row');
    const { allocation, available, reserved, sold, version } = row;
    const stock = { saleId, allocation, available, reserved, sold, version };
    return { decisions: readDecisions(saleId, requests, row), stock };
  };
}

type Row = Omit<Stock, 'saleId'> & {
  outcomes: string[];
  replays: unknown;
  price_minor: number;
  available_before: number;
  decided_at: Date;
};

const outcomeSchema = z.enum([
  'confirmed',
  'replayed',
  'key-reused',
  'sale-not-open',
  'limit-reached',
  'sold-out',
]);
const orderSchema = z.object({
  saleId: z.number(),
  quantity: z.number(),
  totalMinor: z.number(),
  status: z.literal('CONFIRMED'),
  createdAt: z.coerce.date(),
});
const replaysSchema = z.record(z.string(), orderSchema).nullable();

function readDecisions(saleId: number, requests: readonly PurchaseRequest[], row: Row): Decision[] {
  const replays = replaysSchema.parse(row.replays) ?? {};
  let remaining = row.available_before;
  return requests.map((request, position) => {
    const outcome = outcomeSchema.parse(row.outcomes[position]);
    if (outcome === 'confirmed') {
      remaining -= request.quantity;
      return { outcome, order: newOrder(saleId, request, row), remaining };
    }
    if (outcome !== 'replayed') return { outcome };
    const order = replays[request.orderId];
    if (!order) throw new Error(`decide() replayed order ${request.orderId} without returning it`);
    return { outcome, order, remaining: row.available };
  });
}

function newOrder(saleId: number, { quantity }: PurchaseRequest, row: Row): OrderRecord {
  return {
    saleId,
    quantity,
    totalMinor: quantity * row.price_minor,
    status: 'CONFIRMED',
    createdAt: row.decided_at,
  };
}

// Array literals are built by hand: the driver escapes each element with two regular expressions, which for a batch of
// 500 costs more of this process than sending it.
function quoted(text: string): string {
  return /["\\]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;
}
