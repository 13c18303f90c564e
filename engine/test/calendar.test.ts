import { expect, it } from 'vitest';
import { createCalendar } from '../src/catalog/calendar.js';
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
