import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { addDeadLetter } from '../src/ledger/dead-letters.js';
import { createDecide } from '../src/ledger/decide.js';
import { createCompensate } from '../src/orders/compensate.js';
import { runOnce } from '../src/platform/jobs/run-jobs.js';
import type { Pool } from '../src/platform/postgres.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { startRoleProcess } from './support/engine.js';
import { createTestSale, stockOf } from './support/sale.js';

describe('compensation', () => {
  it('returns the units and the allowance of each order exactly once, with two compensators at once', async () => {
    const { pool, saleId } = await failReserved(120);
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 880, reserved: 120 });

    const counts = await Promise.all([compensate(pool), compensate(pool)]);

    expect(counts[0] + counts[1]).toBe(120);
    await expectGivenBack(pool, saleId, 120);
  });

  it('is atomic: a process killed with SIGKILL in the middle of a dead letter leaves nothing half done', async () => {
    const { url, pool, saleId } = await failReserved(1);
    const holder = await pool.connect();
    // A process starts slowly on a busy machine.
    await holder.query('begin; set local idle_in_transaction_session_timeout = 0');
    await holder.query('select from stock where sale_id = $1 for update', [saleId]);
    const compensator = await startRoleProcess('compensator', url);
    await until('it waits while it compensates the letter', () => isWaitingForLock(pool));

    await compensator.kill('SIGKILL');
    await holder.query('commit');
    holder.release();

    await until('its transaction is over', async () => !(await hasOtherTransactions(pool)));
    const { rows } = await pool.query(
      'select d.status, o.status as order_status from dead_letters d join orders o using (order_id)',
    );
    expect(rows).toEqual([{ status: 'NEW', order_status: 'RESERVED' }]);
    await compensate(pool);
    await expectGivenBack(pool, saleId, 1);
  });

  it('handles each of 500 letters once although its process is killed with SIGKILL again and again', async () => {
    const { url, pool, saleId } = await failReserved(500);

    for (let round = 1; round <= 3; round++) {
      const compensator = await startRoleProcess('compensator', url);
      const before = await countCompensated(pool);
      await until('it has compensated some', async () => (await countCompensated(pool)) > before, 20_000);
      await compensator.kill('SIGKILL');
      await expectCleanAudit(pool);
    }
    expect(await countCompensated(pool)).toBeLessThan(500);
    await startRoleProcess('compensator', url);
    await until('all are compensated', async () => (await countCompensated(pool)) === 500, 30_000);

    await expectGivenBack(pool, saleId, 500);
  }, 60_000);

  it('leaves alone an order that has already ended in another way', async () => {
    const { pool, saleId } = await failReserved(1);
    await pool.query(`update sales set payment = 'none' where sale_id = $1`, [saleId]);
    const orderId = randomUUID();
    const request = { orderId, shopperId: 'late', quantity: 1, receivedAtMs: performance.now() };
    await createDecide(pool)(saleId, [request]);
    const letter = { saleId, orderId, source: 'payment' as const, reason: 'refused', deliveries: 1 };
    await addDeadLetter(pool, { ...letter, error: 'on purpose' });

    await compensate(pool);

    const { rows } = await pool.query(
      'select d.status, o.status as order_status from dead_letters d join orders o using (order_id) where order_id = $1',
      [orderId],
    );
    expect(rows).toEqual([{ status: 'DISCARDED', order_status: 'CONFIRMED' }]);
    await expectCleanAudit(pool);
  });
});

/** Runs one compensator until it finds no more letters. @returns how many it compensated. */
async function compensate(pool: Pool): Promise<number> {
  const run = createCompensate(pool);
  let sum = 0;
  for (let count = 1; count > 0; sum += count) ({ count } = await runOnce(run));
  return sum;
}

/** Orders of one unit each, held for a payment that failed: each has a dead letter that is not compensated yet. */
async function failReserved(count: number) {
  const { url, pool } = await createTestDatabase();
  const { saleId } = await createTestSale(pool, { allocation: 1000, payment: 'required' });
  const requests = Array.from({ length: count }, () => ({
    orderId: randomUUID(),
    shopperId: randomUUID(),
    quantity: 1,
    receivedAtMs: performance.now(),
  }));
  await createDecide(pool)(saleId, requests);
  await pool.query(
    `insert into dead_letters (sale_id, order_id, source, reason, error, deliveries)
     select sale_id, order_id, 'payment', 'refused', 'on purpose', 1 from orders`,
  );
  return { url, pool, saleId };
}

async function expectGivenBack(pool: Pool, saleId: number, count: number): Promise<void> {
  expect(await stockOf(pool, saleId)).toEqual({ allocation: 1000, available: 1000, reserved: 0, sold: 0 });
  const { rows } = await pool.query(
    `select (select sum(units) from allowances) as units,
            (select count(*) from journal where to_status = 'FAILED' and reason = 'refused') as failed,
            (select count(*) from orders where status = 'FAILED') as orders,
            (select count(*) from dead_letters where status = 'COMPENSATED') as letters`,
  );
  expect(rows).toEqual([{ units: 0, failed: count, orders: count, letters: count }]);
  await expectCleanAudit(pool);
}

async function countCompensated(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*) as count from dead_letters where status = 'COMPENSATED'`,
  );
  return rows[0]?.count ?? 0;
}

async function isWaitingForLock(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rowCount === 1;
}

async function hasOtherTransactions(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from pg_stat_activity
     where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()`,
  );
  return rowCount !== 0;
}
