import { describe, expect, it } from 'vitest';
import { createAttempts } from '../src/ledger/attempts.js';
import { orderIdOf } from '../src/orders/order-id.js';
import { createDatabaseClock } from '../src/platform/database-clock.js';
import type { Pool } from '../src/platform/postgres.js';
import { createPool } from '../src/platform/postgres.js';
import { startTestApi } from './support/api.js';
import { until } from './support/condition.js';
import { testConfig } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { startFaultProxy } from './support/fault-proxy.js';
import { createTestSale } from './support/sale.js';

describe('the record of attempts', () => {
  it('has a row for every answer, refusals included, within 5 s', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool, { allocation: 5, perUserLimit: 2 });
    const api = await startTestApi(url);

    await api.purchase({ productId, userId: 'greedy', quantity: 3 });
    for (let i = 0; i < 8; i++) await api.purchase({ productId, userId: `shopper-${i}`, key: 'k' });
    await api.purchase({ productId, userId: 'shopper-0', key: 'k' });

    await until('every attempt has a row', async () => (await countAttempts(pool)) === 10);
    const { rows } = await pool.query<{ outcome: string; count: number }>(
      `select outcome, count(*)::int as count from attempts
       where sale_id = $1 and product_id = $2 and duration_us >= 0 and answered_at > now() - interval '1 minute'
       group by outcome order by outcome`,
      [saleId, productId],
    );
    expect(rows).toEqual([
      { outcome: 'confirmed', count: 5 },
      { outcome: 'limit-reached', count: 1 },
      { outcome: 'replayed', count: 1 },
      { outcome: 'sold-out', count: 3 },
    ]);
  });

  it('is written out when the engine drains, including what is still buffered', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { allocation: 1 });
    const api = await startTestApi(url);
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => api.purchase({ productId, userId: `shopper-${i}` })),
    );

    await api.drain();

    expect(await countAttempts(pool)).toBe(50);
  });

  it('drops and counts attempts beyond its buffer, and no others', async () => {
    const { pool } = await createTestDatabase();
    const attempts = createAttempts({ pool, clock: createDatabaseClock(), bufferMax: 10, onError: () => {} });

    for (let i = 0; i < 25; i++) attempts.record(attempt(`shopper-${i}`));
    expect(attempts.dropped()).toBe(15);
    await attempts.close(5000);

    expect(await countAttempts(pool)).toBe(10);
  });

  it('has each attempt once even if the reply to a COMMIT is lost', async () => {
    const { url, pool } = await createTestDatabase();
    const proxy = await startFaultProxy(url);
    const throughProxy = createPool(proxy.url, testConfig());
    const attempts = createAttempts({
      pool: throughProxy,
      clock: createDatabaseClock(),
      bufferMax: 1000,
      onError: () => {},
    });

    proxy.cutReplyTo('commit', 1);
    for (let i = 0; i < 100; i++) attempts.record(attempt(`shopper-${i}`));
    await attempts.close(5000);
    await throughProxy.end();

    expect(proxy.cuts()).toBe(1);
    expect(await countAttempts(pool)).toBe(100);
  });

  it('counts what it could not write if it is closed while the database is unreachable', async () => {
    const { url } = await createTestDatabase();
    const proxy = await startFaultProxy(url);
    proxy.setSilent(true);
    const throughProxy = createPool(proxy.url, testConfig({ DB_TIMEOUT: '100' }));
    const attempts = createAttempts({
      pool: throughProxy,
      clock: createDatabaseClock(),
      bufferMax: 1000,
      onError: () => {},
    });

    for (let i = 0; i < 100; i++) attempts.record(attempt(`shopper-${i}`));
    await attempts.close(200);

    expect(attempts.dropped()).toBe(100);
    await throughProxy.end();
  });

  it('preserves tabs, line ends and backslashes in a name', async () => {
    const { pool } = await createTestDatabase();
    const attempts = createAttempts({ pool, clock: createDatabaseClock(), bufferMax: 10, onError: () => {} });
    const name = 'tab\tline\nreturn\rback\\slash \\N';

    attempts.record(attempt(name));
    await attempts.close(5000);

    const { rows } = await pool.query<{ name: string }>('select shopper_id as name from attempts');
    expect(rows).toEqual([{ name }]);
  });
});

function attempt(shopperId: string) {
  const orderId = orderIdOf(shopperId, 'k');
  return {
    saleId: 1,
    productId: 1,
    shopperId,
    orderId,
    quantity: 1,
    outcome: 'sold-out',
    receivedAtMs: performance.now(),
  };
}

async function countAttempts(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('select count(*) as count from attempts');
  return rows[0]?.count ?? 0;
}
