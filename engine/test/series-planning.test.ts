import { describe, expect, it } from 'vitest';
import { createSale } from '../src/catalog/sales.js';
import { endSeries, listSeries } from '../src/catalog/series.js';
import { createTestDatabase } from './support/database.js';
import {
  at,
  createHourly,
  createTestSeries,
  hourly,
  hourMs,
  planWindows,
  start,
  startsOf,
  windowsOf,
} from './support/series.js';

describe('planning of a series', () => {
  it('creates nothing twice, even if its progress was lost', async () => {
    const { pool } = await createTestDatabase();
    await createHourly(pool, start);
    await planWindows(pool, start);
    const before = await startsOf(pool);

    expect(await planWindows(pool, start)).toEqual({ planned: 0, passedOver: [], failures: [] });
    await pool.query(`update sales set status = 'ended'`);
    await pool.query(`update sale_series set planned_until = planned_until - interval '20 hours'`);
    expect((await planWindows(pool, start)).planned).toBe(0);

    expect(await startsOf(pool)).toEqual(before);
  });

  it('would create windows twice without the unique index', async () => {
    const { pool } = await createTestDatabase();
    await createHourly(pool, start);
    await planWindows(pool, start);
    await pool.query(`drop index sales_one_per_start; update sales set status = 'ended'`);
    await pool.query(`update sale_series set planned_until = planned_until - interval '20 hours'`);

    expect((await planWindows(pool, start)).planned).toBe(20);
  });

  it('by four planners at once creates every window once', async () => {
    const { pool } = await createTestDatabase();
    for (let series = 0; series < 5; series++) await createHourly(pool, start);
    await planWindows(pool, start);
    const before = (await startsOf(pool)).length;

    const results = await Promise.all([1, 2, 3, 4].map(() => planWindows(pool, at(10))));

    expect(results.reduce((sum, { planned }) => sum + planned, 0)).toBe(50);
    expect(results.flatMap(({ passedOver }) => passedOver)).toEqual([]);
    expect((await startsOf(pool)).length - before).toBe(50);
  });

  it('skips a window in which the product has another sale, reports it once, and goes on', async () => {
    const { pool } = await createTestDatabase();
    const { productId, seriesId } = await createHourly(pool, start);
    await planWindows(pool, start);
    const terms = { productId, allocation: 1, perUserLimit: 1, holdTtlSeconds: 900 };
    await createSale(pool, { ...terms, startsAt: at(25.5), endsAt: at(26.5) });

    const result = await planWindows(pool, at(3));

    expect(result).toMatchObject({
      planned: 1,
      passedOver: [25, 26].map(hour => ({ seriesId, startsAt: at(hour) })),
    });
    expect((await planWindows(pool, at(3))).passedOver).toEqual([]);
  });

  it('that fails does not stop the planning of others', async () => {
    const { pool } = await createTestDatabase();
    await createHourly(pool, start);
    await createHourly(pool, start);
    await pool.query(`update sale_series set time_zone = 'Europe/Atlantis' where series_id = 1`);

    expect((await planWindows(pool, start)).failures).toHaveLength(1);

    expect(await startsOf(pool)).toHaveLength(2 + 24);
  });
});

describe('the end of a series', () => {
  it('ends the windows that have not begun, leaves the others, and stops the planning', async () => {
    const { pool } = await createTestDatabase();
    const beforeMs = Date.now();
    const { seriesId } = await createHourly(pool, new Date(Math.floor(beforeMs / hourMs) * hourMs));

    expect(await endSeries(pool, seriesId)).toMatchObject({ seriesId, status: 'ended' });
    expect(await endSeries(pool, seriesId)).toMatchObject({ status: 'ended' });
    expect(await planWindows(pool, new Date(Date.now() + 48 * hourMs))).toEqual({
      planned: 0,
      passedOver: [],
      failures: [],
    });

    expect((await windowsOf(pool)).map(({ status }) => status)).toEqual([
      'active',
      ...Array(24).fill('ended'),
    ]);
    expect(await endSeries(pool, 999)).toBeUndefined();
  });

  it('leaves no upcoming window although windows are being planned', async () => {
    const { pool } = await createTestDatabase();
    for (let round = 0; round < 10; round++) {
      const { seriesId } = await createHourly(pool, start);
      await Promise.all([planWindows(pool, start), endSeries(pool, seriesId), planWindows(pool, at(1))]);
    }
    const { rows } = await pool.query(`select distinct status from sales`);
    expect(rows).toEqual([{ status: 'ended' }]);
  });
});

describe('creating a series', () => {
  it('leaves nothing behind when the first window overlaps another sale', async () => {
    const { pool } = await createTestDatabase();
    const { productId } = await createHourly(pool, start);

    expect(await createTestSeries(pool, start, hourMs, hourly, productId)).toEqual({
      outcome: 'sale-overlaps',
    });
    expect(await createTestSeries(pool, start, hourMs, hourly, 999)).toEqual({
      outcome: 'product-not-found',
    });
    expect(await listSeries(pool, 0, 10)).toHaveLength(1);
  });
});
