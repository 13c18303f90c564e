import { describe, expect, it } from 'vitest';
import { createAccept } from '../src/ledger/accept.js';
import { addDeadLetter } from '../src/ledger/dead-letters.js';
import { createDecide, type PurchaseRequest } from '../src/ledger/decide.js';
import { createSettle } from '../src/ledger/settle.js';
import { createAcceptBatch } from '../src/orders/accept-and-publish.js';
import { orderIdOf } from '../src/orders/order-id.js';
import type { Pool } from '../src/platform/postgres.js';
import { createPostgresQueue } from '../src/queue/postgres-queue.js';
import { brokenInvariants, expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { compensateNext } from './support/order-acts.js';
import { createTestSale } from './support/sale.js';

/**
 * Planted bugs in the life of an order, as in audit.test.ts: `sql` breaks the invariant, and `refusedBy` names the
 * constraint that prevents it, which the test drops first. `isFine` is a control: the same shape without the bug.
 */
type Planted = {
  invariant: number;
  bug: string;
  sql: string;
  refusedBy?: { table: string; constraint: string };
  isFine?: string;
};

const long = (what: string) => `clock_timestamp() - interval '${what}'`;

const planted: Planted[] = [
  {
    invariant: 2,
    bug: 'held units are counted without a journal row',
    sql: 'update stock set available = available - 1, reserved = reserved + 1',
  },
  {
    invariant: 2,
    bug: 'units of a hold that has ended stay reserved',
    sql: `update stock set available = available - 1, reserved = reserved + 1 where reserved = 2`,
  },
  {
    invariant: 3,
    bug: 'a held order disappears',
    sql: `delete from orders where shopper_id = 'holder'`,
  },
  {
    invariant: 3,
    bug: 'a held order counts as sold',
    sql: 'update stock set reserved = reserved - 2, sold = sold + 2',
  },
  {
    invariant: 4,
    bug: 'the allowance of a hold is lost',
    sql: `delete from allowances where shopper_id = 'holder'`,
  },
  {
    invariant: 4,
    bug: 'a failed order keeps its allowance',
    sql: `insert into allowances select sale_id, 'failed', 1 from sales`,
  },
  {
    invariant: 5,
    bug: "an order's step differs from its last journal row",
    sql: `update orders set seq = seq + 1 where shopper_id = 'holder'`,
  },
  {
    invariant: 5,
    bug: "an order's reason differs from its last journal row",
    sql: `update orders set reason = 'sold-out' where shopper_id = 'failed'`,
  },
  {
    invariant: 5,
    bug: 'a prize is given without a draw',
    sql: `update orders set prize = true where shopper_id = 'buyer'`,
  },
  {
    invariant: 5,
    bug: 'a prize is given before the order is bought',
    sql: `update orders set prize = true where shopper_id = 'holder'`,
    refusedBy: { table: 'orders', constraint: 'orders_prize_is_confirmed' },
  },
  {
    invariant: 5,
    bug: 'a bought order is bought again',
    sql: `insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, at)
          select sale_id, order_id, 3, 'CONFIRMED', 'CONFIRMED', quantity, now() from orders where shopper_id = 'buyer';
          update orders set seq = 3 where shopper_id = 'buyer'`,
  },
  {
    invariant: 6,
    bug: 'a hold lives on long after its deadline',
    sql: `update orders set expires_at = ${long('61 seconds')} where status = 'RESERVED'`,
    isFine: `update orders set expires_at = ${long('30 seconds')} where status = 'RESERVED'`,
  },
  {
    invariant: 6,
    bug: 'a hold has no deadline at all',
    sql: `update orders set expires_at = null where status = 'RESERVED'`,
    refusedBy: { table: 'orders', constraint: 'orders_hold_has_a_deadline' },
  },
  {
    invariant: 9,
    bug: 'a queued order is in no queue, and is not published again',
    sql: `delete from queue_messages; update orders set created_at = ${long('61 seconds')} where status = 'QUEUED'`,
    isFine: 'delete from queue_messages',
  },
  {
    invariant: 9,
    bug: 'a queued order was published again, and is lost again',
    sql: `delete from queue_messages;
          update orders set created_at = ${long('181 seconds')}, retold_at = ${long('121 seconds')} where status = 'QUEUED'`,
    isFine: `update orders set created_at = ${long('1 hour')}, retold_at = ${long('121 seconds')} where status = 'QUEUED'`,
  },
  { invariant: 9, bug: 'an order failed, and no dead letter says why', sql: 'delete from dead_letters' },
  {
    invariant: 9,
    bug: 'an order ended without a reason',
    sql: `update orders set reason = null where shopper_id = 'refused';
          update journal set reason = null where to_status = 'REJECTED'`,
  },
  {
    invariant: 10,
    bug: 'a dead letter belongs to no order',
    sql: 'update dead_letters set order_id = gen_random_uuid()',
  },
  {
    invariant: 10,
    bug: 'a dead letter is compensated and its order is still active',
    sql: `insert into dead_letters (sale_id, order_id, source, reason, error, deliveries, status)
          select sale_id, order_id, 'queue', 'r', 'e', 4, 'COMPENSATED' from orders where shopper_id = 'holder'`,
    isFine: `insert into dead_letters (sale_id, order_id, source, reason, error, deliveries, status)
             select sale_id, order_id, 'refund', 'r', 'e', 4, 'COMPENSATED' from orders where shopper_id = 'holder'`,
  },
  {
    invariant: 10,
    bug: 'a dead letter is never compensated',
    sql: `update dead_letters set status = 'NEW', created_at = ${long('61 seconds')}`,
  },
  {
    invariant: 10,
    bug: 'a resolved dead letter has no time of resolution',
    sql: `update dead_letters set status = 'REPLAYED'; update dead_letters set status = 'NEW', created_at = ${long('2 minutes')}`,
    refusedBy: { table: 'dead_letters', constraint: 'dead_letters_resolved_have_a_time' },
  },
  {
    invariant: 10,
    bug: 'one failure has two dead letters, one of them for no order',
    sql: `insert into dead_letters (sale_id, order_id, source, reason, error, deliveries, created_at)
          select sale_id, order_id, source, reason, error, deliveries, ${long('2 minutes')} from dead_letters`,
    refusedBy: { table: 'dead_letters', constraint: 'dead_letters_one_open' },
  },
];

describe('the audit of the life of an order', () => {
  it('finds nothing in a healthy database with all kinds of orders', async () => {
    const { pool } = await createTestDatabase();
    await liveThroughAll(pool);
    await expectCleanAudit(pool);
  });

  it.each(planted)('$invariant: finds that $bug', async ({ invariant, sql, refusedBy, isFine }) => {
    const { pool } = await createTestDatabase();
    await liveThroughAll(pool);
    if (isFine) {
      await pool.query(isFine);
      expect(await brokenInvariants(pool)).not.toContain(invariant);
    }
    if (refusedBy) {
      await expect(pool.query(sql)).rejects.toThrow(refusedBy.constraint);
      await takeAway(pool, refusedBy);
    }

    await pool.query(sql);

    expect(await brokenInvariants(pool)).toContain(invariant);
  });
});

/** Orders bought, held, refused, failed and still queued. Each shopper is named after the state of their order. */
async function liveThroughAll(pool: Pool): Promise<void> {
  const { saleId } = await createTestSale(pool, { allocation: 10, perUserLimit: 5 });
  const queue = createPostgresQueue({ pool });
  const onError = (error: unknown) => {
    throw error;
  };
  const accept = createAcceptBatch({ pool, queue, onError });
  await createAccept(pool)(saleId, [
    request('buyer', 1),
    request('holder', 2),
    request('refused', 4),
    request('failed', 1),
  ]);
  await accept(saleId, [request('waiting', 1)]);
  const decide = createDecide(pool);
  await decide(saleId, [request('buyer', 1)].map(queued));
  await decide(saleId, [{ ...request('direct', 4), entrance: 'direct' }]);
  await pool.query(`update sales set payment = 'required'`);
  await decide(saleId, [request('holder', 2), request('refused', 4)].map(queued));
  await pool.query(`update sales set payment = 'none'`);
  const orderId = orderIdOf('failed', 'k');
  const letter = { saleId, orderId, source: 'queue' as const, reason: 'undecided', error: 'e' };
  await addDeadLetter(pool, { ...letter, deliveries: 4 });
  await compensateNext(pool);
  await createSettle(pool)(saleId, []);
  await queue.close();
}

function request(shopperId: string, quantity: number): PurchaseRequest {
  return { orderId: orderIdOf(shopperId, 'k'), shopperId, quantity, receivedAtMs: performance.now() };
}

function queued(purchase: PurchaseRequest): PurchaseRequest {
  return { ...purchase, entrance: 'queued' };
}

async function takeAway(pool: Pool, { table, constraint }: { table: string; constraint: string }) {
  const { rowCount } = await pool.query('select from pg_constraint where conname = $1', [constraint]);
  await pool.query(
    rowCount === 1 ? `alter table ${table} drop constraint ${constraint}` : `drop index ${constraint}`,
  );
}
