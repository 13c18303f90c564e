import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createDecide } from '../src/ledger/decide.js';
import { createPool, type Pool } from '../src/platform/postgres.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { testConfig } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { createDataDir, readSecret, runTool, startEngine, startRoleProcess } from './support/engine.js';
import { createTestSale } from './support/sale.js';

// Below DRAIN_TIMEOUT_MS, which leaves ample time here.
const drainMaxMs = 8000;

describe('doorbuster start', () => {
  it('runs every role: queued orders are decided and paid, holds expire, dead letters are compensated', async () => {
    const dataDir = await createDataDir();
    const engine = await startEngine(dataDir, { FAULTS_ENABLED: 'true' });
    const databaseUrl = (await readFile(`${dataDir}/database-url`, 'utf8')).trim();
    const pool = createPool(databaseUrl, testConfig());
    const paid = await createTestSale(pool, { payment: 'required' });
    const quick = await createTestSale(pool, { holdTtlSeconds: 1 });
    const key = await readSecret(dataDir, 'api-key');
    const post = (path: string, body: unknown) => postJson(`${engine.url}${path}`, key, body);

    const { order_id: paidId } = await post('/api/orders', { productId: paid.productId, userId: 'a' });
    const { order_id: failedId } = await post('/api/orders', {
      productId: quick.productId,
      userId: 'a',
      forceFail: true,
    });
    const { order: held } = await post('/api/checkout', { productId: quick.productId, userId: 'b' });

    await untilStanding(pool, {
      [`${paidId}`]: 'CONFIRMED',
      [`${failedId}`]: 'FAILED',
      [`${held?.id}`]: 'EXPIRED',
    });
    await pool.end();
    expect(await engine.kill('SIGTERM')).toBe(0);
    expect(await auditOf(dataDir)).toEqual([]);
  }, 60_000);
});

describe('a single role', () => {
  it('warns of the sandbox in production, where every paid order would be free, and of nothing in development', async () => {
    const { url } = await createTestDatabase();
    const said = async (env: Record<string, string>) => {
      const engine = await startRoleProcess('compensator', url, { IDENTITY: 'trusted', ...env });
      expect(await engine.kill('SIGTERM')).toBe(0);
      return engine.output();
    };
    const warning = /PAYMENT_PROVIDER is sandbox in production/;
    expect(await said({ NODE_ENV: 'production', PAYMENT_PROVIDER: 'sandbox' })).toMatch(warning);
    expect(await said({ NODE_ENV: 'production' })).not.toMatch(warning);
    expect(await said({ PAYMENT_PROVIDER: 'sandbox' })).not.toMatch(warning);
  });

  it.each(['api', 'worker', 'scheduler', 'compensator', 'sandbox'] as const)(
    'runs as doorbuster %s, reports it, and exits with 0 on SIGTERM',
    async role => {
      const { url } = await createTestDatabase();
      const engine = await startRoleProcess(role, url);
      expect(engine.output()).toMatch(role === 'sandbox' ? /provider is running/ : /Doorbuster is running/);

      const startedAtMs = performance.now();
      const code = await engine.kill('SIGTERM');

      expect({ code, output: engine.output() }).toMatchObject({ code: 0 });
      expect(performance.now() - startedAtMs).toBeLessThan(drainMaxMs);
    },
  );
});

describe('a role on a database that is not migrated', () => {
  it('names the remedy, and exits', async () => {
    const { url, pool } = await createTestDatabase();
    await pool.query('drop schema public cascade; create schema public');
    const { code, output } = await runTool(['worker'], await createDataDir(), { DATABASE_URL: url });
    expect({ code, output }).toMatchObject({
      code: 1,
      output: expect.stringContaining('doorbuster migrate'),
    });
  });
});

describe('SIGTERM with work in hand', () => {
  it('makes a scheduler with 5,000 holds to expire exit with 0, and another continues', async () => {
    const { url, pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 5000, perUserLimit: 1 });
    await holdUnits(pool, saleId, 5000);
    await pool.query(`update orders set expires_at = clock_timestamp()`);

    await interrupt('scheduler', url, () => countOf(pool, 'EXPIRED'));
    expect(await countOf(pool, 'RESERVED')).toBeGreaterThan(0);
    await expectCleanAudit(pool);
    await startRoleProcess('scheduler', url);
    await until('all are expired', async () => (await countOf(pool, 'EXPIRED')) === 5000, 30_000);
    await expectCleanAudit(pool);
  }, 60_000);

  it('makes a compensator with 500 letters exit with 0, and another continues', async () => {
    const { url, pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 500, perUserLimit: 1 });
    await holdUnits(pool, saleId, 500);
    await pool.query(`insert into dead_letters (sale_id, order_id, source, reason, error, deliveries)
                      select sale_id, order_id, 'queue', 'refused', 'on purpose', 4 from orders`);

    await interrupt('compensator', url, () => countOf(pool, 'FAILED'));
    expect(await countOf(pool, 'RESERVED')).toBeGreaterThan(0);
    await expectCleanAudit(pool);
    await startRoleProcess('compensator', url);
    await until('all are compensated', async () => (await countOf(pool, 'FAILED')) === 500, 30_000);
    await expectCleanAudit(pool);
  }, 60_000);
});

/** Runs a role until some work is done, and then ends it. */
async function interrupt(role: 'scheduler' | 'compensator', url: string, countDone: () => Promise<number>) {
  const engine = await startRoleProcess(role, url);
  await until('some is done', async () => (await countDone()) > 0, 20_000);
  const startedAtMs = performance.now();
  const code = await engine.kill('SIGTERM');
  expect({ code, output: engine.output() }).toMatchObject({ code: 0 });
  expect(performance.now() - startedAtMs).toBeLessThan(drainMaxMs);
}

async function holdUnits(pool: Pool, saleId: number, count: number): Promise<void> {
  const decide = createDecide(pool);
  for (let held = 0; held < count; held += 500) {
    const requests = Array.from({ length: 500 }, () => ({
      orderId: crypto.randomUUID(),
      shopperId: crypto.randomUUID(),
      quantity: 1,
      entrance: 'checkout' as const,
      receivedAtMs: performance.now(),
    }));
    await decide(saleId, requests);
  }
}

const reportSchema = z.object({ invariants: z.array(z.object({ id: z.number(), violations: z.number() })) });

/** The invariants that the audit reports as broken. */
async function auditOf(dataDir: string): Promise<number[]> {
  const { output } = await runTool(['audit', '--json'], dataDir);
  const { invariants } = reportSchema.parse(JSON.parse(output.slice(output.indexOf('{'))));
  return invariants.filter(({ violations }) => violations > 0).map(({ id }) => id);
}

const answerSchema = z.looseObject({
  order_id: z.uuid().optional(),
  order: z.looseObject({ id: z.uuid() }).optional(),
});

async function postJson(url: string, key: string, body: unknown) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return answerSchema.parse(await response.json());
}

async function untilStanding(pool: Pool, wanted: Record<string, string>): Promise<void> {
  await until(
    `the orders are ${JSON.stringify(wanted)}`,
    async () => {
      const { rows } = await pool.query<{ id: string; status: string }>(
        'select order_id as id, status from orders',
      );
      return Object.entries(wanted).every(([id, status]) =>
        rows.some(row => row.id === id && row.status === status),
      );
    },
    30_000,
  );
}

async function countOf(pool: Pool, status: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'select count(*) as count from orders where status = $1',
    [status],
  );
  return rows[0]?.count ?? 0;
}
