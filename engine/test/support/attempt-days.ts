import { createKeepPartitions } from '../../src/ledger/attempt-partitions.js';
import { createDecide } from '../../src/ledger/decide.js';
import { orderIdOf } from '../../src/orders/order-id.js';
import { runOnce } from '../../src/platform/jobs/run-jobs.js';
import type { Pool } from '../../src/platform/postgres.js';
import { createTestSale } from './sale.js';

/** Runs the job once. @returns the partitions that it created and dropped, and whether every step succeeded. */
export async function keepPartitions(pool: Pool, retentionDays: number) {
  const before = await partitions(pool);
  const { failures } = await runOnce(createKeepPartitions(pool, retentionDays));
  const after = await partitions(pool);
  return {
    created: after.filter(name => !before.includes(name)),
    dropped: before.filter(name => !after.includes(name)),
    isComplete: failures.length === 0,
  };
}

export function request(shopperId: string) {
  return { orderId: orderIdOf(shopperId, 'k'), shopperId, quantity: 1, receivedAtMs: performance.now() };
}

/** Buys one unit in a new sale. */
export async function buy(pool: Pool, shopperId: string): Promise<void> {
  const { saleId } = await createTestSale(pool);
  await createDecide(pool)(saleId, [request(shopperId)]);
}

/** @param time the SQL expression for when the attempts were answered. */
export async function insertAt(pool: Pool, count: number, time: string): Promise<void> {
  await pool.query(
    `insert into attempts select 1, 1, 'u', null, 1, 'sold-out', ${time}, 1 from generate_series(1, $1::integer)`,
    [count],
  );
}

/** The names of daily partitions, by the database's clock. */
export async function daysFromToday(pool: Pool, ...offsets: number[]): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select to_char((clock_timestamp() at time zone 'UTC')::date + day, '"attempts_"YYYYMMDD') as name
     from unnest($1::integer[]) with ordinality as d (day, position) order by position`,
    [offsets],
  );
  return rows.map(row => row.name);
}

export async function makeDay(pool: Pool, daysAgo: number): Promise<void> {
  const [name] = await daysFromToday(pool, -daysAgo);
  await pool.query(
    `alter table attempts attach partition ${await makeTable(pool, `${name}`)}
     for values from ('${await startOfDay(pool, daysAgo)}') to ('${await startOfDay(pool, daysAgo - 1)}')`,
  );
}

export async function rowsByPartition(pool: Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ name: string; count: number }>(
    'select tableoid::regclass::text as name, count(*) as count from attempts group by 1 order by 1',
  );
  return Object.fromEntries(rows.map(row => [row.name, row.count]));
}

export async function partitions(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'attempts'::regclass order by 1`,
  );
  return rows.map(row => row.name);
}

export async function startOfDay(pool: Pool, daysAgo: number): Promise<string> {
  const { rows } = await pool.query<{ start: string }>(
    `select (((clock_timestamp() at time zone 'UTC')::date - $1::integer)::timestamp at time zone 'UTC')::text as start`,
    [daysAgo],
  );
  return `${rows[0]?.start}`;
}

export async function makeTable(pool: Pool, name: string): Promise<string> {
  await pool.query(`create table ${name} (like attempts including all)`);
  return name;
}
