import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { addDeadLetter } from '../src/ledger/dead-letters.js';
import { createDecide } from '../src/ledger/decide.js';
import { createPool, type Pool } from '../src/platform/postgres.js';
import { until } from './support/condition.js';
import { testConfig } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { createDataDir, startEngine, startRoleProcess } from './support/engine.js';
import { scrape, seriesOf, seriesValue } from './support/metrics.js';
import { createTestSale } from './support/sale.js';

const shown = { ENABLE_METRICS: 'true', METRICS_PORT: '0' };
const metricsOf = (output: string) => /[Mm]etrics:?\s+(http:\S+?)\.?\s/.exec(output)?.[1];

describe('doorbuster start, whose scheduler is the leader', () => {
  it('restores a missing partition for tomorrow, drops an old one although another cannot be dropped, and logs that one', async () => {
    const dataDir = await createDataDir();
    const engine = await startEngine(dataDir, { ...shown, LOG_LEVEL: 'info', ATTEMPTS_RETENTION_DAYS: '90' });
    const pool = createPool((await readFile(`${dataDir}/database-url`, 'utf8')).trim(), testConfig());
    onTestFinished(() => pool.end());
    await until('it leads', () => engine.output().includes('this scheduler leads'));
    const tomorrow = await dayFromToday(pool, 1);
    const [stuck, old] = [await makeDay(pool, -92), await makeDay(pool, -91)];

    await pool.query(`create view report as select from ${stuck}; drop table ${tomorrow}`);
    await pool.query(
      `insert into attempts select 1, 1, 'u', null, 1, 'sold-out', now() + interval '1 day', 1`,
    );

    await until('tomorrow is back', () => hasPartition(pool, tomorrow), 60_000);
    await until('the old one is gone', async () => !(await hasPartition(pool, old)), 60_000);
    expect(await hasPartition(pool, stuck)).toBe(true);
    await until('the log names the one that stays', () =>
      engine.output().includes(`"item":"partition ${stuck}"`),
    );
    let text = '';
    await until('its job counts it', async () => {
      text = await scrape(metricsOf(engine.output()));
      return seriesValue(text, 'doorbuster_job_failing_items{job_name="keep-attempt-partitions"}') === 1;
    });
    expect(seriesValue(text, 'doorbuster_attempts_default_rows')).toBe(0);
    expect(jobsOf(text)).toEqual(allJobs);
    const lastSuccess = seriesOf(text, 'doorbuster_job_last_success_timestamp_seconds');
    for (const line of lastSuccess)
      expect(Number(line.split(' ')[1])).toBeGreaterThan(Date.now() / 1000 - 60);
  }, 120_000);
});

describe('one sale with broken books', () => {
  it('does not stop other sales from having their holds expired or their letters compensated', async () => {
    const { url, pool } = await createTestDatabase();
    const broken = await createTestSale(pool);
    const sound = await createTestSale(pool);
    const failed = [await hold(pool, broken.saleId), await hold(pool, sound.saleId)];
    const lapsed = [await hold(pool, broken.saleId), await hold(pool, sound.saleId)];
    const why = { source: 'queue' as const, reason: 'refused', error: 'on purpose', deliveries: 4 };
    for (const [position, { saleId }] of [broken, sound].entries())
      await addDeadLetter(pool, { saleId, orderId: `${failed[position]}`, ...why });
    // By its books nothing is reserved, so that returning a unit violates their constraint.
    await pool.query(`update stock set available = allocation, reserved = 0 where sale_id = $1`, [
      broken.saleId,
    ]);
    await pool.query(`update orders set expires_at = clock_timestamp() where order_id = any ($1::uuid[])`, [
      lapsed,
    ]);

    const [scheduler, compensator] = await Promise.all([
      startRoleProcess('scheduler', url, shown),
      startRoleProcess('compensator', url, shown),
    ]);

    const statusOf = (orderId: string | undefined) => readStatus(pool, orderId);
    await until('the hold is expired', async () => (await statusOf(lapsed[1])) === 'EXPIRED');
    await until('the letter is compensated', async () => (await statusOf(failed[1])) === 'FAILED');
    expect([await statusOf(lapsed[0]), await statusOf(failed[0])]).toEqual(['RESERVED', 'RESERVED']);
    for (const [{ output }, job, item] of [
      [scheduler, 'expire-holds', `sale ${broken.saleId}`],
      [compensator, 'compensate', 'dead letter 1'],
    ] as const) {
      await until(`${job} reports ${item}`, () =>
        output()
          .split('\n')
          .some(line => line.includes(`"job":"${job}","item":"${item}"`)),
      );
      const series = `doorbuster_job_failing_items{job_name="${job}"}`;
      await until(
        `${job} is counted`,
        async () => seriesValue(await scrape(metricsOf(output())), series) === 1,
      );
    }
  }, 60_000);
});

const allJobs = [
  'compensate',
  'deliver-webhooks',
  'expire-holds',
  'keep-attempt-partitions',
  'open-and-close',
  'plan-windows',
  'prune',
  'reconcile-payments',
  'relay-forgotten-orders',
  'sum-sold',
  'sweep-webhooks',
  'tell-webhooks',
];

function jobsOf(text: string): (string | undefined)[] {
  const series = seriesOf(text, 'doorbuster_job_last_success_timestamp_seconds');
  return series.map(line => /job_name="([^"]+)"/.exec(line)?.[1]).sort();
}

async function hold(pool: Pool, saleId: number): Promise<string> {
  const orderId = randomUUID();
  const request = { orderId, shopperId: orderId, quantity: 1, receivedAtMs: performance.now() };
  const { decisions } = await createDecide(pool)(saleId, [{ ...request, entrance: 'checkout' }]);
  expect(decisions[0]?.outcome).toBe('reserved');
  return orderId;
}

async function readStatus(pool: Pool, orderId: string | undefined): Promise<unknown> {
  const { rows } = await pool.query('select status from orders where order_id = $1', [orderId]);
  return rows[0]?.status;
}

async function dayFromToday(pool: Pool, offset: number): Promise<string> {
  const { rows } = await pool.query<{ name: string }>(
    `select to_char((clock_timestamp() at time zone 'UTC')::date + $1::integer, '"attempts_"YYYYMMDD') as name`,
    [offset],
  );
  return `${rows[0]?.name}`;
}

async function makeDay(pool: Pool, offset: number): Promise<string> {
  const name = await dayFromToday(pool, offset);
  const [from, to] = [name, await dayFromToday(pool, offset + 1)].map(day => `${day.slice(9)} 00:00:00+00`);
  await pool.query(`create table ${name} partition of attempts for values from ('${from}') to ('${to}')`);
  return name;
}

async function hasPartition(pool: Pool, name: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from pg_inherits where inhparent = 'attempts'::regclass and inhrelid::regclass::text = $1`,
    [name],
  );
  return rowCount === 1;
}
