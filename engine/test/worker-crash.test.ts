import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Pool } from '../src/platform/postgres.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { startRoleProcess } from './support/engine.js';
import { acceptOrders } from './support/queued.js';
import { createTestSale, stockOf } from './support/sale.js';

describe('a worker killed with SIGKILL five times over 30,000 queued orders', () => {
  it('loses and duplicates none: each is decided, all units are sold, and the audit is clean', async () => {
    const { url, pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 25_000, perUserLimit: 1 });
    await acceptOrders(pool, saleId, 30_000);

    for (let round = 1; round <= 5; round++) {
      const worker = await startRoleProcess('worker', url);
      const { sold } = await stockOf(pool, saleId);
      // In the middle of whatever batch it has in hand by then.
      const enough = sold + randomInt(500, 3000);
      await until(`${enough} are sold`, async () => (await stockOf(pool, saleId)).sold >= enough, 20_000);
      await worker.kill('SIGKILL');
    }
    expect(await countOrders(pool)).toHaveProperty('QUEUED');
    // They died with messages in hand.
    expect(await countLeased(pool)).toBeGreaterThan(0);
    await startRoleProcess('worker', url);
    await until('every order is decided', async () => !('QUEUED' in (await countOrders(pool))), 30_000);

    expect(await countOrders(pool)).toEqual({ CONFIRMED: 25_000, 'REJECTED sold-out': 5000 });
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 0, reserved: 0, sold: 25_000 });
    expect(await count(pool, 'journal')).toBe(60_000);
    expect(await count(pool, 'dead_letters')).toBe(0);
    await until('no message is left', async () => (await count(pool, 'queue_messages')) === 0);
    await expectCleanAudit(pool);
  }, 120_000);
});

describe('SIGTERM to a worker with a backlog', () => {
  it('makes it exit with 0 and return its messages at once; another continues, and nothing is lost', async () => {
    const { url, pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 10_000, perUserLimit: 1 });
    await acceptOrders(pool, saleId, 10_000);
    const worker = await startRoleProcess('worker', url);
    await until('some are sold', async () => (await stockOf(pool, saleId)).sold > 0, 20_000);

    const startedAtMs = performance.now();
    const code = await worker.kill('SIGTERM');

    expect({ code, output: worker.output() }).toMatchObject({ code: 0 });
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
    const { sold } = await stockOf(pool, saleId);
    expect(sold).toBeLessThan(10_000);
    // Its batch in hand is decided and settled; messages it had fetched beyond are free again.
    expect(await countLeased(pool)).toBe(0);
    expect(await count(pool, 'queue_messages')).toBe(10_000 - sold);
    await startRoleProcess('worker', url);
    await until('all are sold', async () => (await stockOf(pool, saleId)).sold === 10_000, 20_000);
    expect(await countOrders(pool)).toEqual({ CONFIRMED: 10_000 });
    await expectCleanAudit(pool);
  }, 60_000);
});

async function countOrders(pool: Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ standing: string; count: number }>(
    `select status || coalesce(' ' || reason, '') as standing, count(*) as count from orders group by 1`,
  );
  return Object.fromEntries(rows.map(({ standing, count }) => [standing, count]));
}

async function countLeased(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'select count(*) as count from queue_messages where leased_by is not null',
  );
  return rows[0]?.count ?? 0;
}

async function count(pool: Pool, table: 'journal' | 'dead_letters' | 'queue_messages'): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(`select count(*) as count from ${table}`);
  return rows[0]?.count ?? 0;
}
