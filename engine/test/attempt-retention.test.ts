import { describe, expect, it } from 'vitest';
import { runAudit } from '../src/ledger/audit.js';
import {
  buy,
  daysFromToday,
  insertAt,
  keepPartitions,
  makeDay,
  makeTable,
  rowsByPartition,
  startOfDay,
} from './support/attempt-days.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';

describe('retention of attempts', () => {
  it('drops the partitions older than the retention period, and no others', async () => {
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

  it('also deletes old rows from the default partition', async () => {
    const { pool } = await createTestDatabase();
    await keepPartitions(pool, 0);
    await insertAt(pool, 3, `clock_timestamp() - interval '92 days'`);
    await insertAt(pool, 1, `clock_timestamp() - interval '80 days'`);

    await keepPartitions(pool, 90);

    expect(await rowsByPartition(pool)).toEqual({ attempts_default: 1 });
  });

  it('leaves the audit clean, although orders outlive their attempts', async () => {
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
  it('postpones the drop of a partition, so that no row it must find disappears while it runs', async () => {
    const { pool } = await createTestDatabase();
    await keepPartitions(pool, 0);
    await makeDay(pool, 91);
    await buy(pool, 'old');
    await pool.query(`update attempts set answered_at = answered_at - interval '91 days'`);
    await pool.query(`update orders set created_at = created_at - interval '91 days'`);
    const blocker = await pool.connect();
    await blocker.query('begin; lock table journal in access exclusive mode');

    const audit = runAudit(pool);
    await until('the audit has taken its snapshot and waits', async () => {
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
