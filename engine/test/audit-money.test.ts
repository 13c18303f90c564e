import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createDecide } from '../src/ledger/decide.js';
import { expireHolds } from '../src/ledger/expire.js';
import { createSettle } from '../src/ledger/settle.js';
import type { Pool } from '../src/platform/postgres.js';
import { brokenInvariants, expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { letHoldsLapse } from './support/paid-orders.js';
import { createTestSale } from './support/sale.js';

/**
 * Planted bugs in payments and codes, as in audit.test.ts: a constraint prevents each, the test drops that
 * constraint, and the audit flags the bug. Shopper `paid` has a confirmed order, `back` one that was refunded,
 * `gone` one that lapsed.
 */
const planted: {
  invariant: number;
  bug: string;
  sql: string;
  refusedBy?: { table: string; constraint?: string; index?: string };
}[] = [
  {
    invariant: 8,
    bug: 'one key becomes two orders',
    sql: `insert into orders select (jsonb_populate_record(o, '{"sale_id": 1000}')).* from orders o where shopper_id = 'paid'`,
    refusedBy: { table: 'orders', constraint: 'orders_one_per_intent' },
  },
  {
    invariant: 8,
    bug: 'a checkout is confirmed without a redemption of its code',
    sql: `update orders set redeemed_at = null, redeemed_key = null where shopper_id = 'paid'`,
  },
  {
    invariant: 8,
    bug: 'a used code has no intent, so that a retry would use it again',
    sql: `update orders set redeemed_key = null where shopper_id = 'paid'`,
  },
  {
    invariant: 8,
    bug: 'a code is used after it expired',
    sql: `update orders set redeemed_at = expires_at + interval '1 second' where shopper_id = 'paid'`,
    refusedBy: { table: 'orders', constraint: 'orders_code_was_in_time' },
  },
  {
    invariant: 11,
    bug: 'an order is confirmed without its payment',
    sql: `delete from payments where ${of('paid')}`,
  },
  {
    invariant: 11,
    bug: 'the payment is less than the price of the order',
    sql: `update payments set captured_minor = captured_minor - 1 where ${of('paid')}`,
  },
  {
    invariant: 11,
    bug: 'the right amount was captured in another currency',
    sql: `update payments set captured_currency = 'KWD' where ${of('paid')}`,
  },
  {
    invariant: 11,
    bug: "a payment's currency differs from its sale's",
    sql: `update payments set currency = 'KWD', captured_currency = 'KWD' where ${of('paid')}`,
  },
  {
    invariant: 11,
    bug: 'an order is charged twice',
    sql: `with twice as (
            insert into payments
            select (jsonb_populate_record(p, jsonb_build_object('payment_id', gen_random_uuid()))).*
            from payments p where ${of('paid')}
            returning payment_id
          ) insert into payment_journal (payment_id, seq, status, amount_minor) select payment_id, 1, 'CAPTURED', 1999 from twice`,
    refusedBy: { table: 'payments', index: 'payments_one_kept' },
  },
  {
    invariant: 11,
    bug: 'the payment of a lapsed order is kept',
    sql: `with kept as (
            insert into payments (payment_id, sale_id, order_id, amount_minor, currency, status, captured_minor)
            select gen_random_uuid(), sale_id, order_id, 1999, 'EUR', 'CAPTURED', 1999 from orders where shopper_id = 'gone'
            returning payment_id
          ) insert into payment_journal (payment_id, seq, status, amount_minor) select payment_id, 1, 'CAPTURED', 1999 from kept`,
  },
  {
    invariant: 11,
    bug: 'a refund is less than the whole amount',
    sql: `update payments set refunded_minor = refunded_minor - 1 where ${of('back')}`,
    refusedBy: { table: 'payments', constraint: 'payments_refund_is_whole' },
  },
  {
    invariant: 11,
    bug: 'a completed refund is forgotten, and the money counts as kept',
    sql: `update payments set status = 'CAPTURED', refunded_minor = 0 where ${of('back')}`,
  },
  {
    invariant: 11,
    bug: 'an order counts as refunded, and was never paid',
    sql: `delete from payments where ${of('back')}`,
  },
  {
    invariant: 11,
    bug: 'a payment is captured twice',
    sql: `insert into payment_journal (payment_id, seq, status, amount_minor)
          select payment_id, 3, 'CAPTURED', 1999 from payments where ${of('paid')}`,
  },
  {
    invariant: 11,
    bug: 'a payment is refunded twice',
    sql: `insert into payment_journal (payment_id, seq, status, amount_minor)
          select payment_id, 4, 'REFUNDED', 1999 from payments where ${of('back')}`,
  },
  {
    invariant: 11,
    bug: 'a step of a payment is missing from its journal',
    sql: `delete from payment_journal where status = 'PENDING'`,
  },
  {
    invariant: 11,
    bug: 'a payment belongs to no order',
    sql: `update payments set order_id = gen_random_uuid() where ${of('back')}`,
  },
  {
    invariant: 11,
    bug: 'a payment and its journal disagree on the amount',
    sql: `update payment_journal set amount_minor = amount_minor - 1 where status = 'CAPTURED'`,
  },
  {
    invariant: 11,
    bug: 'a refund is due, is not retried, and is not shown to an operator',
    sql: `with owed as (
            update payments set status = 'REFUND_DUE', refunded_minor = 0, due_at = 'infinity' where ${of('back')}
            returning payment_id
          ) delete from payment_journal using owed where payment_journal.payment_id = owed.payment_id and status = 'REFUNDED'`,
  },
  {
    invariant: 11,
    bug: 'a payment with an unknown outcome is never reconciled',
    sql: `update payments set status = 'PENDING', captured_minor = 0 where ${of('paid')}`,
    refusedBy: { table: 'payments', constraint: 'payments_unsettled_are_due' },
  },
];

describe('the audit of money and codes', () => {
  it('finds nothing while all is well', async () => {
    const pool = await sellThree();
    const { rows } = await pool.query('select status from orders order by shopper_id');
    expect(rows.map(({ status }) => status)).toEqual(['REFUNDED', 'EXPIRED', 'CONFIRMED']);
    await expectCleanAudit(pool);
  });

  it.each(planted)('$invariant: finds that $bug', async ({ invariant, sql, refusedBy }) => {
    const pool = await sellThree();
    if (refusedBy) {
      const { table, constraint, index } = refusedBy;
      await expect(pool.query(sql)).rejects.toThrow(constraint ?? index);
      await pool.query(
        constraint ? `alter table ${table} drop constraint ${constraint}` : `drop index ${index}`,
      );
    }

    const { rowCount } = await pool.query(sql);

    expect(rowCount).toBeGreaterThan(0);
    expect(await brokenInvariants(pool)).toContain(invariant);
  });
});

function of(shopperId: string): string {
  return `order_id = (select order_id from orders where shopper_id = '${shopperId}' and sale_id < 1000)`;
}

/** One order bought with a code, one that was paid after its cancellation, and one that was never paid. */
async function sellThree(): Promise<Pool> {
  const { pool } = await createTestDatabase();
  const { saleId } = await createTestSale(pool, { allocation: 3, payment: 'required' });
  const settle = createSettle(pool);
  const hold = async (shopperId: string) => {
    const orderId = randomUUID();
    const purchase = { orderId, shopperId, quantity: 1, entrance: 'checkout' as const };
    await createDecide(pool)(saleId, [{ ...purchase, receivedAtMs: performance.now() }]);
    return orderId;
  };
  const present = async (orderId: string, shopperId: string) => {
    const event = { event: 'redeem', orderId, shopperId, key: randomUUID(), paymentMethod: null } as const;
    const [settled] = (await settle(saleId, [event])).decisions;
    const paymentId = settled && 'paymentId' in settled ? settled.paymentId : null;
    if (paymentId === null) throw new Error(`nothing to pay for ${shopperId}: ${settled?.outcome}`);
    return { orderId, paymentId };
  };
  const paid = { amountMinor: 1999, currency: 'EUR', reference: 'r' };

  const first = await present(await hold('paid'), 'paid');
  await settle(saleId, [{ event: 'captured', ...first, ...paid }]);
  const back = await present(await hold('back'), 'back');
  await settle(saleId, [{ event: 'cancel', orderId: back.orderId, shopperId: 'back' }]);
  await settle(saleId, [
    { event: 'captured', ...back, ...paid },
    { event: 'refunded', ...back },
  ]);
  await hold('gone');
  await letHoldsLapse(pool);
  await expireHolds(pool, saleId, 10);
  return pool;
}
