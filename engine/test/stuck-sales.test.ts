import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sleep } from '../src/platform/backoff.js';
import { type Answer, startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createLimitedRole } from './support/limited-role.js';
import { scrape, seriesValue } from './support/metrics.js';
import { readProtection, untilProtection } from './support/protection.js';
import { createTestSale, lockStock } from './support/sale.js';

const roomy = { allocation: 100_000, perUserLimit: 100_000 };

describe('a sale whose lock is held', () => {
  it('has at most nine tenths of the requests in flight, and other sales use the rest', async () => {
    const { api, other, stuck, unlock } = await startWithStuckSale({ MAX_IN_FLIGHT: '40' });
    const crowd = Array.from({ length: 50 }, (_, i) =>
      api.purchase({ productId: stuck.productId, userId: `crowd-${i}` }),
    );
    const all = await untilProtection(
      api,
      'all have arrived',
      view => view.inFlight + (view.refused.sale ?? 0) === 50,
    );
    expect([all.inFlight, all.refused.sale, all.refused.inFlight]).toEqual([36, 14, 0]);

    expect(await buyInTurn(api, other.productId, 5)).toEqual({ 200: 5 });

    await unlock();
    expect(countStatuses(await Promise.all(crowd))).toEqual({ '200 undefined': 36, '503 overloaded': 14 });
  }, 120_000);

  it('refuses its own purchases once the first has waited for SHED_WAIT_MS, but not those of other sales', async () => {
    const { api, other, stuck, unlock } = await startWithStuckSale({ SHED_WAIT_MS: '300' });
    const sealed = api.purchase({ productId: stuck.productId, userId: 'sealed' });
    await untilProtection(api, 'the first is in progress', ({ inFlight }) => inFlight === 1);
    const waiting = api.purchase({ productId: stuck.productId, userId: 'waiting' });
    await untilProtection(api, 'the second has waited', ({ shedding }) => shedding.waitMs >= 300);

    expect(await buyInTurn(api, stuck.productId, 1)).toEqual({ 503: 1 });
    expect(await buyInTurn(api, other.productId, 5)).toEqual({ 200: 5 });
    expect((await api.request('GET', `/api/stock/${stuck.productId}`)).status).toBe(200);
    expect((await readProtection(api)).refused).toMatchObject({ sale: 1, shedBrowsing: 0, shedBuying: 0 });

    await unlock();
    expect(countStatuses(await Promise.all([sealed, waiting]))).toEqual({ '200 undefined': 2 });
  }, 120_000);

  it('takes turns with others like it, so that decisions have connections however many there are', async () => {
    const { url, pool } = await createTestDatabase();
    const other = await createTestSale(pool, roomy);
    const stuck = await Promise.all(Array.from({ length: 4 }, () => createTestSale(pool, roomy)));
    // Two connections for decisions, and a second one for each batch.
    const api = await startTestApi(url, {
      DB_POOL_MAX: '10',
      DECISION_DEADLINE_MS: '1000',
      DB_TIMEOUT: '1000',
    });
    for (const { productId } of [other, ...stuck]) await api.purchase({ productId, userId: 'first' });
    const unlocks = await Promise.all(stuck.map(({ saleId }) => lockStock(pool, saleId)));
    const crowds = stuck.map(({ productId }) => keepBuying(api, productId, 5));
    await until('each has run into its timeout', () =>
      crowds.every(({ counts }) => (counts()[503] ?? 0) >= 10),
    );

    expect(await buyInTurn(api, other.productId, 10)).toEqual({ 200: 10 });

    await Promise.all(unlocks.map(unlock => unlock()));
    await until('all sell again', () => crowds.every(({ counts }) => (counts()[200] ?? 0) > 0));
    for (const crowd of crowds) await crowd.stop();
  }, 120_000);
});

describe('a broken ledger', () => {
  it('is queried once per batch and logged in one line, and callers get 503; it sells as soon as it is repaired', async () => {
    const database = await createTestDatabase();
    const { pool } = database;
    const { saleId, productId } = await createTestSale(pool, roomy);
    const lines: string[] = [];
    const logger = pino({ level: 'error' }, { write: line => lines.push(line) });
    const api = await startTestApi(
      await createLimitedRole(database, 20),
      { DECISION_DEADLINE_MS: '20000', DB_TIMEOUT: '20000', ENABLE_METRICS: 'true', METRICS_PORT: '0' },
      { logger },
    );
    await api.purchase({ productId, userId: 'first' });
    const unlock = await lockStock(pool, saleId);
    const sealed = api.purchase({ productId, userId: 'sealed' });
    await untilProtection(api, 'the first is in progress', ({ inFlight }) => inFlight === 1);
    const batch = Array.from({ length: 16 }, (_, i) => api.purchase({ productId, userId: `${i}` }));
    await untilProtection(api, 'a batch waits', ({ inFlight }) => inFlight === 17);

    await pool.query('revoke execute on routine decide from public');
    await unlock();
    expect((await sealed).status).toBe(200);
    expect(countStatuses(await Promise.all(batch))).toEqual({ '503 overloaded': 16 });
    const failures = seriesValue(
      await scrape(api.metricsUrl),
      'doorbuster_batch_failures_total{work="decide"}',
    );
    expect(failures).toBe(1);
    expect(lines.filter(line => line.includes('permission denied for function decide'))).toHaveLength(1);

    await pool.query('grant execute on routine decide to public');
    await until('it sells', async () => (await api.purchase({ productId, userId: 'last' })).status === 200);
  }, 120_000);
});

async function startWithStuckSale(env: Record<string, string>) {
  const { url, pool } = await createTestDatabase();
  const [stuck, other] = [await createTestSale(pool, roomy), await createTestSale(pool, roomy)];
  const api = await startTestApi(url, { DECISION_DEADLINE_MS: '60000', DB_TIMEOUT: '60000', ...env });
  for (const { productId } of [stuck, other]) await api.purchase({ productId, userId: 'first' });
  return { api, stuck, other, unlock: await lockStock(pool, stuck.saleId) };
}

/** Shoppers who buy one purchase after the other without end. */
function keepBuying(api: TestApi, productId: number, shopperCount: number) {
  const counts: Record<number, number> = {};
  let isOver = false;
  const shoppers = Array.from({ length: shopperCount }, async (_, i) => {
    while (!isOver) {
      const { status } = await api.purchase({ productId, userId: `crowd-${i}` });
      counts[status] = (counts[status] ?? 0) + 1;
      // A refused shopper pauses before trying again, or this process would do nothing but refuse.
      if (status === 503) await sleep(200);
    }
  });
  const stop = async () => {
    isOver = true;
    await Promise.all(shoppers);
  };
  onTestFinished(stop);
  return { counts: () => counts, stop };
}

async function buyInTurn(api: TestApi, productId: number, times: number): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (let i = 0; i < times; i++) {
    const { status } = await api.purchase({ productId, userId: `other-${i}` });
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

function countStatuses(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, slug } of answers) {
    counts[`${status} ${slug}`] = (counts[`${status} ${slug}`] ?? 0) + 1;
  }
  return counts;
}
