import { z } from 'zod';
import { onlyRow } from '../platform/only-row.js';
import type { Queryable } from '../platform/postgres.js';
import type { Span } from '../platform/telemetry/tracing.js';
import type { DecidedBatch } from './decide.js';
import { type OrderRecord, orderRecordSchema } from './order-record.js';
import { type StockColumns, stockFrom } from './stock.js';

/**
 * What can happen to an existing order. `key` of a redemption identifies the intent of the shopper who presents the code,
 * so that a retry is distinguished from a second use. Amounts are in minor units. `span` is the span of the request, if
 * tracing is on.
 */
export type OrderEvent = { orderId: string; span?: Span | undefined } & (
  | { event: 'redeem'; shopperId: string; key: string; paymentMethod: string | null }
  | { event: 'cancel'; shopperId: string }
  | { event: 'fail'; reason: string }
  | { event: 'requeue' }
  | { event: 'captured'; paymentId: string; amountMinor: number; currency: string; reference: string }
  | { event: 'declined'; paymentId: string; reference: string | null; reason: string }
  | { event: 'payment-canceled'; paymentId: string; reference: string | null; reason: string }
  | { event: 'refunded'; paymentId: string }
);

const outcomes = [
  'confirmed',
  'pay',
  'replayed',
  'code-used',
  'code-expired',
  'cancelled',
  'failed',
  'queued',
  'declined',
  'refund-due',
  'refunded',
  'payment-unsettled',
  'order-confirmed',
  'order-ended',
  'decline-limit-reached',
] as const;

/**
 * The outcome of an event, and the order after it; settle.sql lists the outcomes of each event. `paymentId` comes with
 * `pay`: the payment to make. `remaining` is the stock after the whole batch.
 */
export type Settlement =
  | { outcome: (typeof outcomes)[number]; order: OrderRecord; paymentId: string | null; remaining: number }
  | { outcome: 'order-not-found' };

/** Applies a batch of events of one sale; resolves after COMMIT. Safe to call again: no event takes effect twice. */
export type Settle = (saleId: number, events: readonly OrderEvent[]) => Promise<DecidedBatch<Settlement>>;

/** @param db a pool, or a transaction that includes the events. */
export function createSettle(db: Queryable): Settle {
  return async (saleId, events) => {
    const { rows } = await db.query<Row>({
      name: 'settle',
      text: 'select * from settle($1, $2::jsonb)',
      values: [
        saleId,
        JSON.stringify(events.map(({ span: _span, ...event }, position) => ({ ...event, position }))),
      ],
    });
    const row = onlyRow(rows, 'settle()');
    const decisions = events.map((_, position): Settlement => {
      const outcome = outcomeSchema.parse(row.outcomes[position]);
      if (outcome === 'order-not-found') return { outcome };
      const order = orderRecordSchema.parse(row.orders_after[position]);
      return { outcome, order, paymentId: row.payment_ids[position] ?? null, remaining: row.available };
    });
    return { decisions, stock: stockFrom(saleId, row) };
  };
}

type Row = StockColumns & {
  outcomes: string[];
  orders_after: unknown[];
  payment_ids: (string | null)[];
};

const outcomeSchema = z.enum([...outcomes, 'order-not-found']);
