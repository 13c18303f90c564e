import { expect, it } from 'vitest';
import { createCalendar } from '../src/catalog/calendar.js';
import { changeSaleStatus, createSale } from '../src/catalog/sales.js';
import { createDatabaseClock } from '../src/platform/database-clock.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

it('a calendar that may have missed a change answers with its last state until it has read the product again', async () => {
  const { pool } = await createTestDatabase();
  const { productId } = await createTestSale(pool);
  let isDown = false;
  const down = () => Promise.reject(new Error('down'));
  const db = new Proxy(pool, {
    get: (target, name) => (isDown && name === 'query' ? down : Reflect.get(target, name)),
  });
  const calendar = createCalendar(db, createDatabaseClock());
  const nameOf = () => calendar.peek(productId)?.product.name;
  await calendar.offerOf(productId);
  const former = nameOf();
  await pool.query(`update products set name = 'Renamed' where product_id = $1`, [productId]);

  isDown = true;
  calendar.expire();
  expect([nameOf(), (await calendar.offerOf(productId))?.product.name]).toEqual([former, former]);

  isDown = false;
  await until('it has read the product again', () => nameOf() === 'Renamed');
});

it('a calendar whose clock is set back across the end of a sale offers that sale again', async () => {
  const { pool } = await createTestDatabase();
  const sale = await createTestSale(pool, { endsInMs: 60_000 });
  const next = await createSale(pool, {
    productId: sale.productId,
    holdTtlSeconds: 900,
    perUserLimit: 1,
    startsAt: new Date(Date.now() + 120_000),
    endsAt: new Date(Date.now() + 180_000),
    allocation: 1,
  });
  let nowMs = sale.endsAt.getTime() + 200;
  const calendar = createCalendar(pool, { ...createDatabaseClock(), nowMs: () => nowMs });
  const offered = () => calendar.peek(sale.productId)?.sale?.saleId;

  await calendar.offerOf(sale.productId);
  expect(next).toMatchObject({ outcome: 'created', sale: { saleId: offered() } });
  nowMs = sale.endsAt.getTime() - 200;
  expect(offered()).toBe(sale.saleId);
  nowMs = sale.endsAt.getTime();
  expect(offered()).not.toBe(sale.saleId);
});

it('a calendar knows the sale that has just ended, beside one that was to last longer and was ended early', async () => {
  const { pool } = await createTestDatabase();
  const early = await createTestSale(pool, { startsInMs: -7_200_000, endsInMs: 7_200_000 });
  await changeSaleStatus(pool, early.saleId, 'ended');
  const terms = { productId: early.productId, allocation: 1, perUserLimit: 1, holdTtlSeconds: 900 };
  const lately = await createSale(pool, {
    ...terms,
    startsAt: new Date(Date.now() - 3_600_000),
    endsAt: new Date(Date.now() - 1000),
  });
  const now = await createSale(pool, {
    ...terms,
    startsAt: new Date(Date.now() - 1000),
    endsAt: new Date(Date.now() + 3_600_000),
  });

  const calendar = createCalendar(pool, createDatabaseClock());
  const offer = await calendar.offerOf(early.productId);

  expect(now).toMatchObject({ outcome: 'created', sale: { saleId: offer?.sale?.saleId } });
  expect(lately).toMatchObject({
    outcome: 'created',
    sale: { saleId: calendar.endedLately(early.productId)?.saleId },
  });
});
