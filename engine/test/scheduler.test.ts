import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createOpenAndClose } from '../src/catalog/open-and-close.js';
import { changeSaleStatus } from '../src/catalog/sales.js';
import { createSeries } from '../src/catalog/series.js';
import type { Job } from '../src/platform/jobs/job.js';
import { createJobFigures } from '../src/platform/jobs/job-figures.js';
import { runOnce } from '../src/platform/jobs/run-jobs.js';
import { createPool, inTransaction, type Pool } from '../src/platform/postgres.js';
import { createScheduler } from '../src/scheduler/scheduler.js';
import { until } from './support/condition.js';
import { testConfig } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale, openAndClose } from './support/sale.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const over = { startsInMs: -10 * minuteMs, endsInMs: -5 * minuteMs };

describe('the opening and closing of sales', () => {
  it('records once that a window has begun and once that it is over, however many processes run it', async () => {
    const { pool } = await createTestDatabase();
    const { saleId: open } = await createTestSale(pool);
    const { saleId: closed } = await createTestSale(pool, over);
    const { saleId: upcoming } = await createTestSale(pool, { startsInMs: minuteMs });

    const told = await Promise.all([1, 2, 3, 4].map(() => openAndClose(pool)));

    expect(told.reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(await openAndClose(pool)).toBe(0);
    expect(await journalOf(pool, open)).toEqual(['new active', 'upcoming open']);
    expect(await journalOf(pool, closed)).toEqual(['new active', 'upcoming open', 'open ended']);
    expect(await journalOf(pool, upcoming)).toEqual(['new active']);
    expect([await statusOf(pool, open), await statusOf(pool, closed)]).toEqual(['active', 'ended']);
  });

  it('sends a notification of both, so that every process reads the sale again', async () => {
    const { pool } = await createTestDatabase();
    const { saleId, productId } = await createTestSale(pool);
    const heard = await listen(pool);

    await openAndClose(pool);
    await until('the opening has been announced', () => heard.length === 1);
    await pool.query(`update sales set ends_at = clock_timestamp() where sale_id = $1`, [saleId]);
    await openAndClose(pool);
    await until('the end has been announced', () => heard.length === 2);

    expect(heard).toEqual([{ productId }, { productId }]);
  });

  it('keeps a sale decidable until the orders it accepted in time are decided', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, over);
    const orderId = await queueOrder(pool, saleId);

    expect(await openAndClose(pool)).toBe(1);
    expect(await openAndClose(pool)).toBe(0);
    expect(await journalOf(pool, saleId)).toEqual(['new active', 'upcoming open', 'open ended']);
    expect(await statusOf(pool, saleId)).toBe('active');

    await pool.query(`update orders set status = 'CONFIRMED' where order_id = $1`, [orderId]);
    expect(await openAndClose(pool)).toBe(1);
    expect(await statusOf(pool, saleId)).toBe('ended');
    expect(await journalOf(pool, saleId)).toHaveLength(3);
  });

  it.each([2500, 5000, 60_000])(
    'does so for twice a statement timeout of %i ms: orders accepted at the last moment are committed by then',
    async timeoutMs => {
      const { url, pool: admin } = await createTestDatabase();
      const pool = createPool(url, testConfig({ DB_TIMEOUT: String(timeoutMs) }));
      onTestFinished(() => pool.end());
      const endsInMs = -2 * timeoutMs;
      const { saleId: late } = await createTestSale(admin, {
        startsInMs: -hourMs,
        endsInMs: endsInMs + 4000,
      });
      const { saleId: done } = await createTestSale(admin, { startsInMs: -hourMs, endsInMs });

      expect(await openAndClose(pool)).toBe(2);

      expect(await journalOf(admin, late)).toContain('open ended');
      expect([await statusOf(admin, late), await statusOf(admin, done)]).toEqual(['active', 'ended']);
      await until('the rest of the time has passed', async () => (await openAndClose(pool)) === 1, 10_000);
      expect(await statusOf(admin, late)).toBe('ended');
    },
  );

  it('records a paused sale as paused, and closes it too', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, over);
    await changeSaleStatus(pool, saleId, 'paused');

    await openAndClose(pool);

    expect((await journalOf(pool, saleId)).slice(2)).toEqual(['upcoming paused', 'paused ended']);
    expect(await statusOf(pool, saleId)).toBe('ended');
  });

  it('records nothing for a sale that its operator has ended', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, over);
    await changeSaleStatus(pool, saleId, 'ended');

    expect(await openAndClose(pool)).toBe(0);
    expect(await journalOf(pool, saleId)).toEqual(['new active', 'active ended']);
  });

  it('is not delayed by another sale whose stock is locked', async () => {
    const { pool } = await createTestDatabase();
    const { saleId: locked } = await createTestSale(pool);
    const { saleId: free } = await createTestSale(pool);

    await inTransaction(pool, async tx => {
      await tx.query('select from stock where sale_id = $1 for update', [locked]);
      expect((await runOnce(createOpenAndClose(pool))).failures).toMatchObject([{ item: `sale ${locked}` }]);
    });

    expect(await journalOf(pool, free)).toEqual(['new active', 'upcoming open']);
    expect(await openAndClose(pool)).toBe(1);
  });
});

describe('the scheduler', () => {
  it('runs the given jobs and those of the catalogue, on one process at a time', async () => {
    const { url, pool } = await createTestDatabase();
    const runs = [0, 0];
    const countRun = (position: number): Job => ({
      name: 'count',
      everyMs: 5,
      run: async () => {
        runs[position] = (runs[position] ?? 0) + 1;
        return 0;
      },
    });
    const schedulers = [0, 1].map(position => startScheduler(url, pool, [countRun(position)]));
    const { saleId } = await createTestSale(pool);

    await until('the sale is recorded as open', async () => (await journalOf(pool, saleId)).length === 2);
    await until('one has run the job', () => runs.some(count => count > 3));
    const leading = schedulers.findIndex(scheduler => scheduler.isLeader());
    expect(runs[1 - leading]).toBe(0);

    await schedulers[leading]?.close();
    const ran = runs[leading];
    await until('the other has taken over', () => (runs[1 - leading] ?? 0) > 3);
    expect(runs[leading]).toBe(ran);
  });

  it('plans the windows of a series', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, over);
    const startsAt = new Date(Math.floor(Date.now() / minuteMs) * minuteMs);
    const endsAt = new Date(startsAt.getTime() + minuteMs);
    const terms = { productId, startsAt, endsAt, allocation: 1, perUserLimit: 1, holdTtlSeconds: 1 };
    await createSeries(pool, terms, { cron: '* * * * *', timeZone: 'UTC' });

    startScheduler(url, pool, []);

    const count = async () =>
      (await pool.query('select from sales where series_id is not null')).rowCount ?? 0;
    await until('more than two passes are planned', async () => (await count()) > 250, 20_000);
  });
});

function startScheduler(url: string, pool: Pool, jobs: Job[]) {
  const logger = pino({ level: 'silent' });
  const figures = createJobFigures();
  const scheduler = createScheduler({ pool, connection: { connectionString: url }, jobs, figures, logger });
  onTestFinished(() => scheduler.close());
  return scheduler;
}

async function journalOf(pool: Pool, saleId: number): Promise<string[]> {
  const { rows } = await pool.query<{ change: string }>(
    `select from_status || ' ' || to_status as change from sale_journal where sale_id = $1 order by seq`,
    [saleId],
  );
  return rows.map(({ change }) => change);
}

async function statusOf(pool: Pool, saleId: number): Promise<unknown> {
  const { rows } = await pool.query('select status from sales where sale_id = $1', [saleId]);
  return rows[0]?.status;
}

async function queueOrder(pool: Pool, saleId: number): Promise<string | undefined> {
  const { rows } = await pool.query<{ id: string }>(
    `insert into orders (sale_id, order_id, shopper_id, quantity, price_minor, total_minor, entrance, status, created_at)
     values ($1, gen_random_uuid(), 'a', 1, 1, 1, 'queued', 'QUEUED', clock_timestamp()) returning order_id as id`,
    [saleId],
  );
  return rows[0]?.id;
}

/** The notifications about the catalogue from now on. */
async function listen(pool: Pool): Promise<unknown[]> {
  const heard: unknown[] = [];
  const client = await pool.connect();
  client.on('notification', ({ payload = '' }) => heard.push(JSON.parse(payload)));
  await client.query('listen doorbuster_catalog');
  onTestFinished(() => client.release(true));
  return heard;
}
