import { z } from 'zod';
import { onlyRow } from '../platform/only-row.js';
import type { Pool } from '../platform/postgres.js';
import type { Span } from '../platform/telemetry/tracing.js';
import { textArray } from './array-literal.js';
import { type Entrance, type OrderRecord, ordersByIdSchema } from './order-record.js';
import { type Digests, requestArrays } from './request-arrays.js';
import { type Stock, type StockColumns, stockFrom } from './stock.js';

/**
 * One request to buy. `orderId` identifies the intent: the same id never becomes two orders. `receivedAtMs` is this
 * process's `performance.now()` when the request arrived. `paymentMethod` is the provider's name of the method to charge.
 */
export type PurchaseRequest = {
  orderId: string;
  shopperId: string;
  quantity: number;
  receivedAtMs: number;
  /** Default: `direct`. */
  entrance?: Entrance;
  paymentMethod?: string | undefined;
  /** Only in a sale that counts by digests. */
  digests?: Digests | undefined;
  /** The span of the request, if tracing is on. */
  span?: Span | undefined;
};

type Refusal =
  | 'key-reused'
  | 'sale-not-open'
  | 'limit-reached'
  | 'payment-limit-reached'
  | 'address-limit-reached'
  | 'decline-limit-reached'
  | 'sold-out';

/**
 * `remaining` is the stock right after this request. `reserved` has the payment that the order waits for, null behind a
 * checkout code; `replayed` has the order that the same id made before. Only queued orders get `sale-paused`, which is not
 * decided yet, and `order-not-found`, which cannot be decided.
 */
export type Decision =
  | { outcome: 'confirmed' | 'replayed'; order: OrderRecord; remaining: number }
  | { outcome: 'reserved'; order: OrderRecord; remaining: number; paymentId: string | null }
  | { outcome: Refusal | 'sale-paused' | 'order-not-found' };

/** The result of a batch: one decision per request, by position, and the stock after it if the batch touched it. */
export type DecidedBatch<Outcome> = { decisions: Outcome[]; stock?: Stock };

/**
 * Decides a batch of one sale: resolves after COMMIT with one decision per request, in the same order. Safe to call
 * again with the same requests after any failure: committed requests come back as `replayed`.
 */
export type Decide = (
  saleId: number,
  requests: readonly PurchaseRequest[],
) => Promise<DecidedBatch<Decision>>;

export function createDecide(pool: Pool): Decide {
  return async (saleId, requests) => {
    const arrays = requestArrays(requests);
    const areDirect = requests.every(({ entrance = 'direct' }) => entrance === 'direct');
    const saysMethod = requests.some(({ paymentMethod }) => paymentMethod !== undefined);
    const { rows } = await pool.query<Row>({
      name: 'decide',
      text: `select * from decide($1, $2::uuid[], $3::text[], $4::integer[], $5::integer[], $6::text[], $7::text[],
                                  $8::text[], $9::text[])`,
      values: [
        saleId,
        ...[arrays.orderIds, arrays.shopperIds, arrays.quantities, arrays.waitsUs],
        areDirect ? null : textArray(requests.map(({ entrance = 'direct' }) => entrance)),
        saysMethod ? textArray(requests.map(({ paymentMethod = null }) => paymentMethod)) : null,
        ...[arrays.payments, arrays.addresses],
      ],
    });
    const row = onlyRow(rows, 'decide()');
    return { decisions: readDecisions(saleId, requests, row), stock: stockFrom(saleId, row) };
  };
}

type Row = StockColumns & {
  outcomes: string[];
  replays: unknown;
  payment_ids: (string | null)[];
  prizes: (boolean | null)[];
  expires_at: Date;
  price_minor: number;
  currency: string;
  available_before: number;
  decided_at: Date;
};

const outcomeSchema = z.enum([
  'confirmed',
  'reserved',
  'replayed',
  'key-reused',
  'sale-not-open',
  'sale-paused',
  'limit-reached',
  'payment-limit-reached',
  'address-limit-reached',
  'decline-limit-reached',
  'sold-out',
  'order-not-found',
]);

function readDecisions(saleId: number, requests: readonly PurchaseRequest[], row: Row): Decision[] {
  const replays = ordersByIdSchema.parse(row.replays) ?? {};
  let remaining = row.available_before;
  return requests.map((request, position) => {
    const outcome = outcomeSchema.parse(row.outcomes[position]);
    if (outcome === 'confirmed' || outcome === 'reserved') {
      remaining -= request.quantity;
      const order = newOrder(saleId, request, row, position);
      if (outcome === 'confirmed') return { outcome, order, remaining };
      return { outcome, order, remaining, paymentId: row.payment_ids[position] ?? null };
    }
    if (outcome !== 'replayed') return { outcome };
    const order = replays[request.orderId];
    if (!order) throw new Error(`decide() replayed order ${request.orderId} without returning it`);
    return { outcome, order, remaining: row.available };
  });
}

function newOrder(
  saleId: number,
  { quantity, entrance = 'direct' }: PurchaseRequest,
  row: Row,
  position: number,
): OrderRecord {
  const isHeld = row.outcomes[position] === 'reserved';
  return {
    saleId,
    quantity,
    totalMinor: quantity * row.price_minor,
    currency: row.currency,
    entrance,
    status: isHeld ? 'RESERVED' : 'CONFIRMED',
    reason: null,
    createdAt: row.decided_at,
    expiresAt: isHeld ? row.expires_at : null,
    prize: row.prizes[position] ?? null,
  };
}
