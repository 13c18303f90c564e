import { describe, expect, it } from 'vitest';
import { serviceHeaders } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createDataDir, runTool, startRoleProcess } from './support/engine.js';
import { startPgbouncer } from './support/pgbouncer.js';
import { createTestSale, stockOf } from './support/sale.js';

describe('through PgBouncer in transaction mode', () => {
  it('every way to buy works, no more than the allocation is sold, holds lapse, and sessions connect directly', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool, { allocation: 60, holdTtlSeconds: 2 });
    const env = { DATABASE_URL: await startPgbouncer(url), DATABASE_DIRECT_URL: url };
    const [api, other] = await Promise.all([
      startRoleProcess('api', url, env),
      startRoleProcess('api', url, env),
      startRoleProcess('worker', url, env),
      startRoleProcess('scheduler', url, env),
    ]);
    const buy = (way: string, userId: string, base = api.url) =>
      fetch(`${base}/api/${way}`, {
        method: 'POST',
        headers: { ...serviceHeaders, 'content-type': 'application/json' },
        body: JSON.stringify({ productId, userId }),
      });

    const holds = await Promise.all(Array.from({ length: 10 }, (_, i) => buy('checkout', `held-${i}`)));
    expect(new Set(holds.map(({ status }) => status))).toEqual(new Set([201]));
    const race = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        buy(i % 2 ? 'purchase' : 'orders', `racer-${i}`, i % 4 < 2 ? api.url : other.url),
      ),
    );
    expect(race.every(({ status }) => [200, 202, 409].includes(status))).toBe(true);

    // The scheduler leads by a session lock, and the worker learns of orders through LISTEN.
    await until('holds have lapsed', async () => (await stockOf(pool, saleId)).reserved === 0, 20_000);
    await Promise.all(Array.from({ length: 60 }, (_, i) => buy('purchase', `late-${i}`, other.url)));
    await until('all is sold', async () => (await stockOf(pool, saleId)).available === 0, 20_000);
    const { rows } = await pool.query(`select count(*) as queued from orders where status = 'QUEUED'`);
    expect(rows).toEqual([{ queued: 0 }]);
    expect(await stockOf(pool, saleId)).toMatchObject({ reserved: 0, sold: 60 });
    await expectCleanAudit(pool);

    expect(api.output()).toContain('lack these timeouts');
  }, 60_000);

  it('an engine without the direct address of PostgreSQL refuses to start', async () => {
    const { url } = await createTestDatabase();
    const pooled = await startPgbouncer(url);
    const { code, output } = await runTool(['api'], await createDataDir(), { DATABASE_URL: pooled });
    expect(code).toBe(1);
    expect(output).toContain('Set DATABASE_DIRECT_URL to the address of the PostgreSQL server behind it');
  }, 30_000);
});
