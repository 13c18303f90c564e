import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createDecide } from '../src/ledger/decide.js';
import { createBatchQueue } from '../src/orders/batch-queue.js';
import { orderIdOf } from '../src/orders/order-id.js';
import type { Pool } from '../src/platform/postgres.js';
import { type Answer, startTestApi, type TestApi } from './support/api.js';
import { brokenInvariants, expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { createUnwatched } from './support/queue-options.js';
import { createTestSale, stockOf } from './support/sale.js';

describe('a race for the last units', () => {
  it('sells 50 units to exactly 50 of 100 shoppers and reports sold out to the others', async () => {
    const { url, pool } = await createTestDatabase();
    const sale = await createTestSale(pool, { allocation: 50 });
    const api = await startTestApi(url);

    const answers = await Promise.all(
      shoppers(100).map(userId => api.purchase({ productId: sale.productId, userId })),
    );

    expect(tally(answers)).toEqual({ '200': 50, 'sold-out': 50 });
    expect(await stockOf(pool, sale.saleId)).toEqual({ allocation: 50, available: 0, reserved: 0, sold: 50 });
    await expectCleanAudit(pool);
  });

  it('sells 5 units to exactly 5 of 10 shoppers', async () => {
    const { url, pool } = await createTestDatabase();
    const sale = await createTestSale(pool, { allocation: 5 });
    const api = await startTestApi(url);

    const answers = await Promise.all(
      shoppers(10).map(userId => api.purchase({ productId: sale.productId, userId })),
    );

    expect(tally(answers)).toEqual({ '200': 5, 'sold-out': 5 });
    await expectCleanAudit(pool);
  });

  it('keeps initial - sold = final when 50 shoppers each try to buy three times from 100 units', async () => {
    const { url, pool } = await createTestDatabase();
    const sale = await createTestSale(pool, { allocation: 100 });
    const api = await startTestApi(url);

    const buyThrice = async (userId: string) => {
      const answers: Answer[] = [];
      for (let i = 0; i < 3; i++) answers.push(await api.purchase({ productId: sale.productId, userId }));
      return answers;
    };
    const answers = (await Promise.all(shoppers(50).map(buyThrice))).flat();

    expect(tally(answers)).toEqual({ '200': 100, 'sold-out': 50 });
    expect(await stockOf(pool, sale.saleId)).toEqual({
      allocation: 100,
      available: 0,
      reserved: 0,
      sold: 100,
    });
    await expectCleanAudit(pool);
  });

  it('sells exactly the allocation through two processes on one database', async () => {
    const { url, pool } = await createTestDatabase();
    const sale = await createTestSale(pool, { allocation: 300 });
    const apis = [await startTestApi(url), await startTestApi(url)];

    const buy = (userId: string, i: number) => purchaseFrom(apis, i, { productId: sale.productId, userId });
    const answers = await Promise.all(shoppers(600).map(buy));

    expect(tally(answers)).toEqual({ '200': 300, 'sold-out': 300 });
    await expectCleanAudit(pool);
  });
});

describe('a race between two queues on one sale', () => {
  // The queues stand for two processes. Both read before either writes.
  it('oversells without the lock and the CHECKs of the stock row: the negative control', async () => {
    const { pool } = await createTestDatabase();
    const sale = await createTestSale(pool, { allocation: 50 });
    await installDecideWithoutLock(pool);
    await pool.query(
      `alter table stock drop constraint stock_is_conserved, drop constraint stock_available_is_not_negative`,
    );

    const confirmed = await raceTwoQueues(pool, sale.saleId, 100);

    expect(confirmed).toBeGreaterThan(50);
    expect(await brokenInvariants(pool)).toContain(1);
  });

  it('is stopped by the CHECKs when only the lock is removed', async () => {
    const { pool } = await createTestDatabase();
    const sale = await createTestSale(pool, { allocation: 50 });
    await installDecideWithoutLock(pool);

    const confirmed = await raceTwoQueues(pool, sale.saleId, 100);

    // The race happened: some were sold, and none without the stock knowing.
    expect(confirmed).toBeGreaterThan(0);
    expect(await stockOf(pool, sale.saleId)).toMatchObject({ sold: confirmed, available: 50 - confirmed });
    await expectCleanAudit(pool);
  });

  it('does not oversell with the lock in place', async () => {
    const { pool } = await createTestDatabase();
    const sale = await createTestSale(pool, { allocation: 50 });

    expect(await raceTwoQueues(pool, sale.saleId, 100)).toBe(50);
    await expectCleanAudit(pool);
  });
});

async function installDecideWithoutLock(pool: Pool): Promise<void> {
  const sql = await readFile(new URL('../src/ledger/decide.sql', import.meta.url), 'utf8');
  const lock = 'select * into strict v_stock from stock where sale_id = p_sale_id for update;';
  expect(sql).toContain(lock);
  // A sequence counts outside of transactions, so that each batch sees that the other has read.
  const withoutLock = `select * into strict v_stock from stock where sale_id = p_sale_id;
    perform nextval('readers');
    while (select last_value from readers) < 2 loop perform pg_sleep(0.005); end loop;`;
  await pool.query('create sequence readers');
  await pool.query(sql.replace(lock, withoutLock));
}

/** @returns how many of the requests, split between two queues, were confirmed. */
async function raceTwoQueues(pool: Pool, saleId: number, requestCount: number): Promise<number> {
  const queues = [createQueue(pool), createQueue(pool)];
  const join = (shopperId: string, i: number) =>
    queues[i % 2]?.join(saleId, {
      orderId: orderIdOf(shopperId, 'k'),
      shopperId,
      quantity: 1,
      receivedAtMs: 0,
    });
  const outcomes = await Promise.all(shoppers(requestCount).map(join));
  return outcomes.filter(decided => decided?.outcome === 'confirmed').length;
}

function createQueue(pool: Pool) {
  return createBatchQueue({
    decide: createDecide(pool),
    ...createUnwatched(),
    deadlineMs: 5000,
    queueMax: 1000,
    batchMax: 50,
  });
}

function purchaseFrom(apis: readonly TestApi[], i: number, purchase: { productId: number; userId: string }) {
  const api = apis[i % apis.length];
  if (!api) throw new Error('there is no API to buy from');
  return api.purchase(purchase);
}

function shoppers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `shopper-${i}`);
}

function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, slug } of answers) {
    const outcome = slug ?? String(status);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}
