import { describe, expect, it } from 'vitest';
import { expectCleanAudit } from './support/audit.js';
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

describe('a series', () => {
  it('has the windows of the next 24 hours, each of them a sale with its own stock', async () => {
    const { pool } = await createTestDatabase();
    const { productId } = await createHourly(pool, start);
    expect(await startsOf(pool)).toEqual([start.toISOString()]);

    expect((await planWindows(pool, start)).planned).toBe(24);

    const windows = await windowsOf(pool);
    expect(windows.map(({ startsAt }) => startsAt)).toEqual(
      Array.from({ length: 25 }, (_, hour) => at(hour)),
    );
    for (const window of windows) {
      expect(window).toMatchObject({
        productId,
        available: 50,
        limit: 3,
        payment: 'required',
        odds: 7,
        price: 100,
      });
      expect(window.endsAt.getTime() - window.startsAt.getTime()).toBe(hourMs);
    }
    await expectCleanAudit(pool);
  });

  it('has them as soon as it is created', async () => {
    const { pool } = await createTestDatabase();
    const beforeMs = Date.now();
    await createHourly(pool, new Date(Math.floor(beforeMs / hourMs) * hourMs));

    const last = (await windowsOf(pool)).at(-1)?.startsAt.getTime() ?? 0;
    expect(last).toBeGreaterThan(beforeMs + 23 * hourMs);
    expect(last).toBeLessThanOrEqual(Date.now() + 24 * hourMs);
  });

  it.each([
    ['25 windows on the day the clocks go back', '2036-10-25T22:00:00Z', 25],
    ['23 windows on the day the clocks go forward', '2036-03-29T23:00:00Z', 23],
  ])('has %s, one for each hour that passes', async (_what, midnight, count) => {
    const { pool } = await createTestDatabase();
    const startsAt = new Date(midnight);
    await createHourly(pool, startsAt);

    await planWindows(pool, startsAt);
    await planWindows(pool, new Date(startsAt.getTime() + 2 * hourMs));

    const nextMidnight = startsAt.getTime() + count * hourMs;
    const windows = (await windowsOf(pool)).filter(window => window.startsAt.getTime() < nextMidnight);
    expect(localDay(nextMidnight)).not.toBe(localDay(nextMidnight - 1));
    expect(windows.map(window => window.startsAt.getTime())).toEqual(
      Array.from({ length: count }, (_, hour) => startsAt.getTime() + hour * hourMs),
    );
  });

  it('shortens a window of a whole day on the day that has 23 hours', async () => {
    const { pool } = await createTestDatabase();
    const startsAt = new Date('2036-03-27T08:00:00Z');
    await createTestSeries(pool, startsAt, 24 * hourMs, { cron: '0 9 * * *', timeZone: 'Europe/Berlin' });

    for (let day = 0; day < 4; day++)
      await planWindows(pool, new Date(startsAt.getTime() + day * 24 * hourMs));

    const hours = (await windowsOf(pool)).map(
      window => (window.endsAt.getTime() - window.startsAt.getTime()) / hourMs,
    );
    expect(hours.slice(0, 4)).toEqual([24, 24, 23, 24]);
  });

  it("is planned at the product's price at that time", async () => {
    const { pool } = await createTestDatabase();
    await createHourly(pool, start);
    await planWindows(pool, start);
    await pool.query('update products set price_minor = 200');

    await planWindows(pool, at(1));

    const prices = (await windowsOf(pool)).map(({ price }) => price);
    expect(prices.slice(-2)).toEqual([100, 200]);
  });

  it('always has its next window, however far away', async () => {
    const { pool } = await createTestDatabase();
    await createTestSeries(pool, new Date('2036-02-29T00:00:00Z'), hourMs, {
      cron: '0 0 29 2 *',
      timeZone: 'UTC',
    });
    expect(await startsOf(pool)).toEqual(['2036-02-29T00:00:00.000Z']);

    await planWindows(pool, new Date('2036-02-29T00:00:00Z'));
    await planWindows(pool, new Date('2036-02-29T00:00:10Z'));
    expect(await startsOf(pool)).toEqual(['2036-02-29T00:00:00.000Z', '2040-02-29T00:00:00.000Z']);
  });

  it('does not catch up on past windows after a long downtime, but plans the current one', async () => {
    const { pool } = await createTestDatabase();
    await createHourly(pool, start);
    await planWindows(pool, start);
    const before = (await startsOf(pool)).length;

    const now = new Date('2036-08-01T12:20:00Z');
    const { planned } = await planWindows(pool, now);

    const made = (await startsOf(pool)).slice(before);
    expect(planned).toBe(made.length);
    expect(made[0]).toBe('2036-08-01T12:00:00.000Z');
    expect(made.at(-1)).toBe('2036-08-02T12:00:00.000Z');
  });

  it('with a window every minute is planned a hundred windows at a time', async () => {
    const { pool } = await createTestDatabase();
    await createTestSeries(pool, start, 60_000, { cron: '* * * * *', timeZone: 'UTC' });

    expect((await planWindows(pool, start)).planned).toBe(100);
    expect((await planWindows(pool, start)).planned).toBe(100);
    expect(await startsOf(pool)).toHaveLength(201);
  });
});

function localDay(ms: number): string {
  return new Date(ms).toLocaleDateString('en', { timeZone: hourly.timeZone });
}
