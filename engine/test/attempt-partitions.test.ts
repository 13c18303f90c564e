import { describe, expect, it } from 'vitest';
import { createKeepPartitions } from '../src/ledger/attempt-partitions.js';
import { createAttempts } from '../src/ledger/attempts.js';
import { runAudit } from '../src/ledger/audit.js';
import { createDecide } from '../src/ledger/decide.js';
import { orderIdOf } from '../src/orders/order-id.js';
import { runOnce } from '../src/platform/jobs/run-jobs.js';
import type { Pool } from '../src/platform/postgres.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

describe('partitions of attempts', () => {
  it('are there for today and the next two days, and a second run finds nothing to do', async () => {
    const { pool } = await createTestDatabase();
    const days = await daysFromToday(pool, 0, 1, 2);

    expect(await keepPartitions(pool, 90)).toEqual({ created: days, dropped: [], isComplete: true });
    expect(await keepPartitions(pool, 90)).toEqual({ created: [], dropped: [], isComplete: true });
    expect(await partitions(pool)).toEqual([...days, 'attempts_default']);
  });

  it('take what is stamped after midnight, and the default one whatever has no day', async () => {
    const { pool } = await createTestDatabase();
    await keepPartitions(pool, 0);
    const [today, tomorrow] = await daysFromToday(pool, 0, 1);
    const midnightMs = Math.ceil(Date.now() / dayMs) * dayMs;

    await recordAt(pool, [midnightMs - 1, midnightMs, midnightMs + 40 * dayMs, midnightMs - 40 * dayMs]);

    expect(await rowsByPartition(pool)).toEqual({ [`${today}`]: 1, [`${tomorrow}`]: 1, attempts_default: 2 });
  });

  it('get the rows of their day that the default one took before them', async () => {
    const { pool } = await createTestDatabase();
    const [today, tomorrow] = await daysFromToday(pool, 0, 1);
    await insertAt(pool, 3, 'clock_timestamp()');
    await insertAt(pool, 2, `clock_timestamp() + interval '1 day'`);
    await insertAt(pool, 1, `clock_timestamp() - interval '1 day'`);
    expect(await rowsByPartition(pool)).toEqual({ attempts_default: 6 });

    await keepPartitions(pool, 0);

    expect(await rowsByPartition(pool)).toEqual({ [`${today}`]: 3, [`${tomorrow}`]: 2, attempts_default: 1 });
  });

  it('leave a day with more than 20,000 rows in the default one, and make the days after it', async () => {
    const { pool } = await createTestDatabase();
    const [, tomorrow, after] = await daysFromToday(pool, 0, 1, 2);
    await insertAt(pool, 20_001, 'clock_timestamp()');

    expect(await keepPartitions(pool, 0)).toMatchObject({ created: [tomorrow, after] });

    expect(await rowsByPartition(pool)).toEqual({ attempts_default: 20_001 });
    await pool.query('delete from attempts where ctid = (select min(ctid) from attempts)');
    expect((await keepPartitions(pool, 0)).created).toHaveLength(1);
    expect((await rowsByPartition(pool)).attempts_default).toBeUndefined();
  });

  it('are made once by several that run at the same time', async () => {
    const { pool } = await createTestDatabase();

    const runs = [1, 2, 3, 4].map(() => runOnce(createKeepPartitions(pool, 1)));
    const counts = (await Promise.all(runs)).map(({ count }) => count);

    counts.push((await runOnce(createKeepPartitions(pool, 1))).count);
    expect(await partitions(pool)).toHaveLength(4);
    expect(counts.reduce((sum, count) => sum + count)).toBe(3);
  });
});

describe('retention of attempts', () => {
  it('drops what ended that many days ago, and nothing else', async () => {
    const { pool } = await createTestDatabase();
    await keepPartitions(pool, 0);
    const [young, old, older] = await daysFromToday(pool, -90, -91, -92);
    for (const daysAgo of [90, 91]) await makeDay(pool, daysAgo);
    await pool.query(`alter table attempts attach partition ${await makeTable(pool, `${older}`)}
                      for values from (minvalue) to ('${await startOfDay(pool, 91)}')`);
    await insertAt(pool, 2, `clock_timestamp() - interval '92 days'`);
    await insertAt(pool, 1, `clock_timestamp() - interval '90 days'`);

    expect(await keepPartitions(pool, 0)).toMatchObject({ dropped: [] });
    expect(await keepPartitions(pool, 90)).toEqual({
      created: [],
      dropped: [older, old],
      isComplete: true,
    });

    expect(await rowsByPartition(pool)).toEqual({ [`${young}`]: 1 });
    expect(await keepPartitions(pool, 90)).toMatchObject({ dropped: [] });
  });

  it('deletes old rows of the default partition too', async () => {
    const { pool } = await createTestDatabase();
    await keepPartitions(pool, 0);
    await insertAt(pool, 3, `clock_timestamp() - interval '92 days'`);
    await insertAt(pool, 1, `clock_timestamp() - interval '80 days'`);

    await keepPartitions(pool, 90);

    expect(await rowsByPartition(pool)).toEqual({ attempts_default: 1 });
  });

  it('leaves the audit clean: an order outlives its attempt', async () => {
    const { pool } = await createTestDatabase();
    await keepPartitions(pool, 0);
    await makeDay(pool, 91);
    await buy(pool, 'old');
    await buy(pool, 'new');
    await pool.query(
      `update attempts set answered_at = answered_at - interval '91 days' where shopper_id = 'old'`,
    );
    await pool.query(
      `update orders set created_at = created_at - interval '91 days' where shopper_id = 'old'`,
    );

    expect((await keepPartitions(pool, 90)).dropped).toHaveLength(1);

    expect(Object.values(await rowsByPartition(pool))).toEqual([1]);
    await expectCleanAudit(pool);
  });
});

describe('an audit', () => {
  it('puts a drop off, so that no row that it has to find is taken away under it', async () => {
    const { pool } = await createTestDatabase();
    await keepPartitions(pool, 0);
    await makeDay(pool, 91);
    await buy(pool, 'old');
    await pool.query(`update attempts set answered_at = answered_at - interval '91 days'`);
    await pool.query(`update orders set created_at = created_at - interval '91 days'`);
    const blocker = await pool.connect();
    await blocker.query('begin; lock table journal in access exclusive mode');

    const audit = runAudit(pool);
    await until('the audit has its snapshot, and waits', async () => {
      const { rows } = await pool.query(
        `select from pg_locks where relation = 'journal'::regclass and not granted`,
      );
      return rows.length === 1;
    });
    expect(await keepPartitions(pool, 90)).toMatchObject({ dropped: [], isComplete: false });
    await blocker.query('commit');
    blocker.release();

    expect((await audit).ok).toBe(true);
    expect((await keepPartitions(pool, 90)).dropped).toHaveLength(1);
    await expectCleanAudit(pool);
  });
});

describe('purchases', () => {
  it('that are under way put a new day off to the next run, and land in the default partition', async () => {
    const { pool } = await createTestDatabase();
    const end = await holdPurchaseOpen(pool);

    expect(await keepPartitions(pool, 0)).toEqual({ created: [], dropped: [], isComplete: false });

    await end();
    expect((await keepPartitions(pool, 0)).created).toHaveLength(3);
    expect((await rowsByPartition(pool)).attempts_default).toBeUndefined();
    await expectCleanAudit(pool);
  });

  it('that are under way put a drop off to the next run', async () => {
    const { pool } = await createTestDatabase();
    await keepPartitions(pool, 0);
    await makeDay(pool, 91);
    const end = await holdPurchaseOpen(pool);

    expect(await keepPartitions(pool, 90)).toEqual({ created: [], dropped: [], isComplete: false });

    await end();
    expect((await keepPartitions(pool, 90)).dropped).toHaveLength(1);
  });

  it('all go through while partitions come and go', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 10_000 });
    const decide = createDecide(pool);
    let isOver = false;

    const buyers = [0, 1, 2, 3].map(async buyer => {
      let bought = 0;
      for (; !isOver; bought++) {
        const { decisions } = await decide(saleId, [request(`${buyer}-${bought}`)]);
        expect(decisions[0]?.outcome).toBe('confirmed');
      }
      return bought;
    });
    for (let round = 0; round < 10; round++) {
      await keepPartitions(pool, 90);
      await makeDay(pool, 91);
      await keepPartitions(pool, 90);
    }
    isOver = true;
    const bought = (await Promise.all(buyers)).reduce((sum, count) => sum + count, 0);

    expect(Object.values(await rowsByPartition(pool)).reduce((sum, count) => sum + count, 0)).toBe(bought);
    await expectCleanAudit(pool);
  });
});

/** One round of the job. @returns what it made and dropped, and whether all of it went well. */
async function keepPartitions(pool: Pool, retentionDays: number) {
  const before = await partitions(pool);
  const { failures } = await runOnce(createKeepPartitions(pool, retentionDays));
  const after = await partitions(pool);
  return {
    created: after.filter(name => !before.includes(name)),
    dropped: before.filter(name => !after.includes(name)),
    isComplete: failures.length === 0,
  };
}

const dayMs = 86_400_000;

function request(shopperId: string) {
  return { orderId: orderIdOf(shopperId, 'k'), shopperId, quantity: 1, receivedAtMs: performance.now() };
}

async function buy(pool: Pool, shopperId: string): Promise<void> {
  const { saleId } = await createTestSale(pool);
  await createDecide(pool)(saleId, [request(shopperId)]);
}

/** A purchase that has written its attempt and not committed; the answer ends it. */
async function holdPurchaseOpen(pool: Pool): Promise<() => Promise<void>> {
  const { saleId } = await createTestSale(pool);
  const client = await pool.connect();
  await client.query('begin');
  const { orderId, shopperId } = request('under way');
  const values = [saleId, [orderId], [shopperId], [1], [0]];
  await client.query('select decide($1, $2, $3, $4, $5, null, null)', values);
  return async () => {
    await client.query('commit');
    client.release();
  };
}

/** Attempts as the engine records them, at times by an estimate of the database's clock. */
async function recordAt(pool: Pool, timesMs: readonly number[]): Promise<void> {
  let nowMs = 0;
  const clock = { nowMs: () => nowMs, errorMs: () => 0, calibrate: async () => {} };
  const onError = (error: unknown) => expect.fail(String(error));
  const attempts = createAttempts({ pool, clock, bufferMax: 10, onError });
  for (const timeMs of timesMs) {
    nowMs = timeMs;
    attempts.record({ ...request('u'), saleId: 1, productId: 1, orderId: null, outcome: 'sold-out' });
  }
  await attempts.close(5000);
}

async function insertAt(pool: Pool, count: number, time: string): Promise<void> {
  await pool.query(
    `insert into attempts select 1, 1, 'u', null, 1, 'sold-out', ${time}, 1 from generate_series(1, $1::integer)`,
    [count],
  );
}

async function daysFromToday(pool: Pool, ...offsets: number[]): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select to_char((clock_timestamp() at time zone 'UTC')::date + day, '"attempts_"YYYYMMDD') as name
     from unnest($1::integer[]) with ordinality as d (day, position) order by position`,
    [offsets],
  );
  return rows.map(row => row.name);
}

async function startOfDay(pool: Pool, daysAgo: number): Promise<string> {
  const { rows } = await pool.query<{ start: string }>(
    `select (((clock_timestamp() at time zone 'UTC')::date - $1::integer)::timestamp at time zone 'UTC')::text as start`,
    [daysAgo],
  );
  return `${rows[0]?.start}`;
}

async function makeTable(pool: Pool, name: string): Promise<string> {
  await pool.query(`create table ${name} (like attempts including all)`);
  return name;
}

async function makeDay(pool: Pool, daysAgo: number): Promise<void> {
  const [name] = await daysFromToday(pool, -daysAgo);
  await pool.query(
    `alter table attempts attach partition ${await makeTable(pool, `${name}`)}
     for values from ('${await startOfDay(pool, daysAgo)}') to ('${await startOfDay(pool, daysAgo - 1)}')`,
  );
}

async function partitions(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'attempts'::regclass order by 1`,
  );
  return rows.map(row => row.name);
}

async function rowsByPartition(pool: Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ name: string; count: number }>(
    'select tableoid::regclass::text as name, count(*) as count from attempts group by 1 order by 1',
  );
  return Object.fromEntries(rows.map(row => [row.name, row.count]));
}
