import { describe, expect, it } from 'vitest';
import { createKeepPartitions } from '../src/ledger/attempt-partitions.js';
import { createAttempts } from '../src/ledger/attempts.js';
import { createDecide } from '../src/ledger/decide.js';
import { runOnce } from '../src/platform/jobs/run-jobs.js';
import type { Pool } from '../src/platform/postgres.js';
import {
  daysFromToday,
  insertAt,
  keepPartitions,
  makeDay,
  partitions,
  request,
  rowsByPartition,
} from './support/attempt-days.js';
import { expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

const dayMs = 86_400_000;

describe('partitions of attempts', () => {
  it('exist for today and the next two days after one run, and a second run changes nothing', async () => {
    const { pool } = await createTestDatabase();
    const days = await daysFromToday(pool, 0, 1, 2);

    expect(await keepPartitions(pool, 90)).toEqual({ created: days, dropped: [], isComplete: true });
    expect(await keepPartitions(pool, 90)).toEqual({ created: [], dropped: [], isComplete: true });
    expect(await partitions(pool)).toEqual([...days, 'attempts_default']);
  });

  it('receive attempts by the day of their timestamp, and the default partition receives the rest', async () => {
    const { pool } = await createTestDatabase();
    await keepPartitions(pool, 0);
    const [today, tomorrow] = await daysFromToday(pool, 0, 1);
    const midnightMs = Math.ceil(Date.now() / dayMs) * dayMs;

    await recordAt(pool, [midnightMs - 1, midnightMs, midnightMs + 40 * dayMs, midnightMs - 40 * dayMs]);

    expect(await rowsByPartition(pool)).toEqual({ [`${today}`]: 1, [`${tomorrow}`]: 1, attempts_default: 2 });
  });

  it('receive the earlier rows of their day from the default partition', async () => {
    const { pool } = await createTestDatabase();
    const [today, tomorrow] = await daysFromToday(pool, 0, 1);
    await insertAt(pool, 3, 'clock_timestamp()');
    await insertAt(pool, 2, `clock_timestamp() + interval '1 day'`);
    await insertAt(pool, 1, `clock_timestamp() - interval '1 day'`);
    expect(await rowsByPartition(pool)).toEqual({ attempts_default: 6 });

    await keepPartitions(pool, 0);

    expect(await rowsByPartition(pool)).toEqual({ [`${today}`]: 3, [`${tomorrow}`]: 2, attempts_default: 1 });
  });

  it('are not created for a day with more than 20,000 rows in the default partition; later days get theirs', async () => {
    const { pool } = await createTestDatabase();
    const [, tomorrow, after] = await daysFromToday(pool, 0, 1, 2);
    await insertAt(pool, 20_001, 'clock_timestamp()');

    expect(await keepPartitions(pool, 0)).toMatchObject({ created: [tomorrow, after] });

    expect(await rowsByPartition(pool)).toEqual({ attempts_default: 20_001 });
    await pool.query('delete from attempts where ctid = (select min(ctid) from attempts)');
    expect((await keepPartitions(pool, 0)).created).toHaveLength(1);
    expect((await rowsByPartition(pool)).attempts_default).toBeUndefined();
  });

  it('are created once, even if several processes run the job at the same time', async () => {
    const { pool } = await createTestDatabase();

    const runs = [1, 2, 3, 4].map(() => runOnce(createKeepPartitions(pool, 1)));
    const counts = (await Promise.all(runs)).map(({ count }) => count);

    counts.push((await runOnce(createKeepPartitions(pool, 1))).count);
    expect(await partitions(pool)).toHaveLength(4);
    expect(counts.reduce((sum, count) => sum + count)).toBe(3);
  });
});

describe('purchases', () => {
  it('in progress postpone new partitions to the next run, which then moves their rows', async () => {
    const { pool } = await createTestDatabase();
    const end = await holdPurchaseOpen(pool);

    expect(await keepPartitions(pool, 0)).toEqual({ created: [], dropped: [], isComplete: false });

    await end();
    expect((await keepPartitions(pool, 0)).created).toHaveLength(3);
    expect((await rowsByPartition(pool)).attempts_default).toBeUndefined();
    await expectCleanAudit(pool);
  });

  it('in progress postpone the drop of an old partition to the next run', async () => {
    const { pool } = await createTestDatabase();
    await keepPartitions(pool, 0);
    await makeDay(pool, 91);
    const end = await holdPurchaseOpen(pool);

    expect(await keepPartitions(pool, 90)).toEqual({ created: [], dropped: [], isComplete: false });

    await end();
    expect((await keepPartitions(pool, 90)).dropped).toHaveLength(1);
  });

  it('all succeed while partitions are created and dropped', async () => {
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

/** Records attempts as the engine does, with timestamps from an estimate of the database's clock. */
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

/** Starts a purchase that has written its attempt but not committed. @returns a function that commits it. */
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
