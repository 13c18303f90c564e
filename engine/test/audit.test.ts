import { describe, expect, it } from 'vitest';
import { createAccept } from '../src/ledger/accept.js';
import { createDecide } from '../src/ledger/decide.js';
import { shareQueueAge } from '../src/ledger/queue-watch.js';
import { orderIdOf } from '../src/orders/order-id.js';
import { brokenInvariants, expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

/**
 * Every invariant has a planted bug. `sql` breaks it; `refusedBy` names the constraint that prevents the bug, which
 * the test drops so that the audit has something to flag.
 */
const planted: {
  invariant: number;
  bug: string;
  sql: string;
  refusedBy?: { table: string; constraint: string };
}[] = [
  {
    invariant: 1,
    bug: 'units appear from nowhere',
    sql: 'update stock set available = available + 1',
    refusedBy: { table: 'stock', constraint: 'stock_is_conserved' },
  },
  {
    invariant: 1,
    bug: 'stock goes below zero',
    sql: 'update stock set available = -1, allocation = sold - 1',
    refusedBy: { table: 'stock', constraint: 'stock_available_is_not_negative' },
  },
  { invariant: 1, bug: 'a sale has no stock', sql: 'delete from stock' },
  {
    invariant: 2,
    bug: 'a sale counts as sold without a journal row',
    sql: 'update stock set available = available - 1, sold = sold + 1',
  },
  { invariant: 3, bug: 'an order disappears', sql: `delete from orders where shopper_id = 'a'` },
  {
    invariant: 4,
    bug: 'an allowance is not counted',
    sql: `update allowances set units = units - 1 where shopper_id = 'a'`,
  },
  { invariant: 4, bug: 'an allowance is lost', sql: `delete from allowances where shopper_id = 'a'` },
  { invariant: 4, bug: 'a buyer has more than the limit', sql: 'update sales set per_user_limit = 1' },
  { invariant: 5, bug: 'a journal row is lost', sql: `delete from journal where quantity = 2` },
  {
    invariant: 5,
    bug: 'a transition that is not allowed',
    sql: `insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, at)
          select sale_id, order_id, 2, 'CONFIRMED', 'RESERVED', quantity, now() from journal`,
  },
  {
    invariant: 5,
    bug: 'a gap in the steps',
    sql: `update journal set seq = 2`,
    refusedBy: { table: 'journal', constraint: 'journal_begins_with_new' },
  },
  {
    invariant: 8,
    bug: 'one key becomes two orders',
    sql: `insert into orders select sale_id + 1000, order_id, shopper_id, quantity, price_minor, total_minor, status, created_at
          from orders where shopper_id = 'a'`,
    refusedBy: { table: 'orders', constraint: 'orders_one_per_intent' },
  },
  {
    invariant: 12,
    bug: 'the price of an order changes',
    sql: 'update sales set price_minor = price_minor + 1',
  },
  {
    invariant: 12,
    bug: 'a total that is not quantity times price',
    sql: 'update orders set total_minor = 1',
    refusedBy: { table: 'orders', constraint: 'orders_total_is_exact' },
  },
  { invariant: 13, bug: 'an attempt is lost', sql: `delete from attempts where shopper_id = 'a'` },
  {
    invariant: 13,
    bug: 'an attempt claims an order',
    sql: 'update attempts set order_id = gen_random_uuid()',
  },
  ...['confirmed', 'reserved', 'queued'].map(outcome => ({
    invariant: 13,
    bug: `an attempt says ${outcome} without an order`,
    sql: `insert into attempts
          select sale_id, product_id, shopper_id, gen_random_uuid(), quantity, '${outcome}', answered_at, duration_us
          from attempts`,
  })),
  {
    invariant: 13,
    bug: 'an order has only a refused attempt',
    sql: `update attempts set outcome = 'sold-out' where shopper_id = 'a'`,
  },
];

describe('the audit', () => {
  it('finds nothing in a healthy database', async () => {
    const { pool } = await createTestDatabase();
    await expectCleanAudit(pool);
    await sellTwoOrders(pool);
    await expectCleanAudit(pool);
  });

  it.each(planted)('$invariant: finds that $bug', async ({ invariant, sql, refusedBy }) => {
    const { pool } = await createTestDatabase();
    await sellTwoOrders(pool);
    if (refusedBy) {
      await expect(pool.query(sql)).rejects.toThrow(refusedBy.constraint);
      await pool.query(`alter table ${refusedBy.table} drop constraint ${refusedBy.constraint}`);
    }

    await pool.query(sql);

    expect(await brokenInvariants(pool)).toContain(invariant);
  });

  it('13: requires no attempt for an order older than retention, and one for each newer order', async () => {
    const { pool } = await createTestDatabase();
    await sellTwoOrders(pool);
    await pool.query(`delete from attempts where shopper_id = 'a'`);
    const keepSince = (time: string) => pool.query(`update attempts_kept set since = ${time}`);

    await keepSince(`(select max(created_at) from orders)`);
    expect(await brokenInvariants(pool)).toEqual([13]);
    await keepSince(`(select max(created_at) + interval '1 microsecond' from orders)`);
    expect(await brokenInvariants(pool)).toEqual([]);
  });

  it.each(['reserved', 'queued'])(
    '13: accepts an attempt with the outcome %s as that of its order',
    async outcome => {
      const { pool } = await createTestDatabase();
      await sellTwoOrders(pool);
      await pool.query('update attempts set outcome = $1', [outcome]);

      expect(await brokenInvariants(pool)).toEqual([]);
    },
  );

  it('9: counts an order as queued outside while the queue may still have it, and no longer', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 10, perUserLimit: 5 });
    const orderId = orderIdOf('a', 'k');
    await createAccept(pool)(saleId, [{ orderId, shopperId: 'a', quantity: 1, receivedAtMs: 0 }]);
    expect(await brokenInvariants(pool)).toEqual([]);
    await pool.query(`update orders set created_at = clock_timestamp() - interval '10 minutes'`);
    expect(await brokenInvariants(pool)).toEqual([9]);

    await shareQueueAge(pool, 11 * 60_000);
    expect(await brokenInvariants(pool)).toEqual([]);
    await pool.query(`update queue_watch set seen_at = clock_timestamp() - interval '3 minutes'`);
    expect(await brokenInvariants(pool)).toEqual([9]);
    await shareQueueAge(pool, 9 * 60_000);
    expect(await brokenInvariants(pool)).toEqual([9]);

    // Once published again, the order may wait as long as it had waited before, plus a minute for the relay; in a
    // paused sale, without limit.
    await pool.query(`update orders set retold_at = clock_timestamp()`);
    expect(await brokenInvariants(pool)).toEqual([]);
    for (const [minutes, broken] of [
      [5, []],
      [6, [9]],
    ]) {
      await pool.query(`update orders set retold_at = clock_timestamp() - $1 * interval '1 minute'`, [
        minutes,
      ]);
      expect(await brokenInvariants(pool)).toEqual(broken);
    }
    await pool.query(`update sales set status = 'paused'`);
    expect(await brokenInvariants(pool)).toEqual([]);
  });

  it('7: finds an acknowledged order that is missing or differs', async () => {
    const { pool } = await createTestDatabase();
    await sellTwoOrders(pool);
    const real = { orderId: orderIdOf('a', 'k'), shopperId: 'a', quantity: 2 };

    expect(await brokenInvariants(pool, [real])).toEqual([]);
    expect(await brokenInvariants(pool, [real, { ...real, orderId: orderIdOf('a', 'lost') }])).toEqual([7]);
    expect(await brokenInvariants(pool, [{ ...real, quantity: 3 }])).toEqual([7]);
    expect(await brokenInvariants(pool, [{ ...real, shopperId: 'somebody' }])).toEqual([7]);
  });
});

async function sellTwoOrders(pool: Parameters<typeof createDecide>[0]): Promise<void> {
  const { saleId } = await createTestSale(pool, { allocation: 10, perUserLimit: 5 });
  const request = (shopperId: string, quantity: number) => ({
    orderId: orderIdOf(shopperId, 'k'),
    shopperId,
    quantity,
    receivedAtMs: performance.now(),
  });
  await createDecide(pool)(saleId, [request('a', 2), request('b', 1)]);
}
