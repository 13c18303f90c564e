import { advisoryLocks } from '../platform/advisory-locks.js';
import { eachItem } from '../platform/jobs/each-item.js';
import type { Run } from '../platform/jobs/job.js';
import { type Client, inTransaction, type Pool, type Queryable } from '../platform/postgres.js';

// Long enough for a running batch or COPY to end, short enough that shoppers do not notice the queue behind this wait.
const lockTimeoutMs = 50;
// Today, plus two days that may pass without a run before rows fall into the default partition.
const daysAheadMax = 2;
// A tenth of a second of work under a lock that blocks writers of the default partition.
const rowsPerStepMax = 20_000;

/**
 * Creates the partitions of `attempts` for today and the next two days, and drops those that ended `retentionDays` ago (0
 * keeps them forever), by the database's clock. Idempotent; if two runs overlap, one waits for the other.
 *
 * Purchases wait for it a moment once a day: every step is its own transaction, and a step that does not get a lock
 * within 50 ms fails and is retried.
 */
export function createKeepPartitions(pool: Pool, retentionDays: number): Run {
  return eachItem({
    kind: 'partition',
    keyOf: ({ name }: Step) => name,
    async find(except) {
      const steps = await findSteps(pool, retentionDays);
      return steps.filter(({ name }) => !except.includes(name));
    },
    roundMax: Number.POSITIVE_INFINITY,
    work: step =>
      inTransaction(pool, async tx => {
        await tx.query(`set local lock_timeout = ${lockTimeoutMs}`);
        await tx.query('select pg_advisory_xact_lock($1)', [advisoryLocks.attemptPartitions]);
        return step.take(tx);
      }),
  });
}

/** Counts attempts in the default partition, up to 10,001: a day's partition was missing when they were written. */
export async function countUnpartitioned(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ count: number }>({
    name: 'count-unpartitioned',
    text: 'select count(*) as count from (select from attempts_default limit 10001) as waiting',
  });
  return rows[0]?.count ?? 0;
}

/** `take` returns how many partitions or rows it processed. */
type Step = { name: string; take: (tx: Client) => Promise<number> };
type Day = { name: string; startsAt: string; endsAt: string };
type Partition = { name: string; endsAt: string };

async function findSteps(pool: Pool, retentionDays: number): Promise<Step[]> {
  const days = await readMissingDays(pool);
  const steps = days.map((day): Step => ({ name: day.name, take: tx => createDay(tx, day) }));
  if (retentionDays === 0) return steps;
  const expired = await readExpired(pool, retentionDays);
  return [
    ...steps,
    ...expired.map((partition): Step => ({ name: partition.name, take: tx => dropPartition(tx, partition) })),
    { name: 'attempts_default', take: tx => deleteExpiredRows(tx, retentionDays) },
  ];
}

// PostgreSQL keeps the bounds of a partition only in its expression, which is written and read here under the same
// settings. A partition that an operator attached by hand may begin at MINVALUE.
const partitions = `
  select c.relname as name, c.oid::regclass::text as quoted_name,
         coalesce((regexp_match(bound, 'FROM \\(''([^'']+)''\\)'))[1]::timestamptz, '-infinity') as starts_at,
         (regexp_match(bound, 'TO \\(''([^'']+)''\\)'))[1]::timestamptz as ends_at
  from pg_inherits i join pg_class c on c.oid = i.inhrelid, pg_get_expr(c.relpartbound, c.oid) as bound
  where i.inhparent = 'attempts'::regclass and bound <> 'DEFAULT'`;

/**
 * Days, starting today, that no partition covers. If a day has more rows in the default partition than one step may
 * move, they stay there, where they can be read and are deleted in time like any others.
 */
async function readMissingDays(db: Queryable): Promise<Day[]> {
  const { rows } = await db.query<Day>(
    `with partition as (${partitions}), day as (
       select today + ahead as day,
              (today + ahead)::timestamp at time zone 'UTC' as starts_at,
              (today + ahead + 1)::timestamp at time zone 'UTC' as ends_at
       from (select (clock_timestamp() at time zone 'UTC')::date as today) as clock, generate_series(0, $1::integer) as ahead
     )
     select to_char(day, '"attempts_"YYYYMMDD') as name, starts_at::text as "startsAt", ends_at::text as "endsAt"
     from day
     where not exists (select from partition p where p.starts_at < day.ends_at and p.ends_at > day.starts_at)
       and (select count(*) from (
              select from attempts_default a
              where a.answered_at >= day.starts_at and a.answered_at < day.ends_at limit $2::integer + 1
            ) waiting) <= $2::integer
     order by day`,
    [daysAheadMax, rowsPerStepMax],
  );
  return rows;
}

/**
 * Creates a separate table, fills it with the waiting rows, and attaches it. Attaching alone would not block purchases,
 * but a purchase whose row is already on its way to the default partition would fail: it would wait for that table's lock
 * and find that the table no longer takes its day. So writers are blocked for this moment, once a day. CREATE TABLE ...
 * PARTITION OF would also block readers of the other days. PostgreSQL scans both tables meanwhile, to check that each row
 * is in its place: the new one holds at most one step's rows, and the default one is normally empty.
 */
async function createDay(tx: Client, { name, startsAt, endsAt }: Day): Promise<number> {
  const { rows } = await tx.query<{ isThere: boolean }>('select to_regclass($1) is not null as "isThere"', [
    name,
  ]);
  if (rows[0]?.isThere) return 0;
  await tx.query(`create table ${name} (like attempts including all)`);
  await tx.query('lock table only attempts in share row exclusive mode');
  await tx.query('lock table attempts_default in access exclusive mode');
  await tx.query(
    `with moved as (
       delete from attempts_default where answered_at >= $1 and answered_at < $2 returning *
     ) insert into ${name} select * from moved`,
    [startsAt, endsAt],
  );
  await tx.query(
    `alter table attempts attach partition ${name} for values from ('${startsAt}') to ('${endsAt}')`,
  );
  return 1;
}

async function readExpired(db: Queryable, retentionDays: number): Promise<Partition[]> {
  const { rows } = await db.query<Partition>(
    `select quoted_name as name, ends_at::text as "endsAt"
     from (${partitions}) as partition where ends_at <= ${cutoff} order by ends_at`,
    [retentionDays],
  );
  return rows;
}

const cutoff = `((clock_timestamp() at time zone 'UTC')::date - $1::integer)::timestamp at time zone 'UTC'`;

/**
 * Detaches and drops in one step, so that a crash cannot leave an orphaned table. Locks all of `attempts` for a moment:
 * DETACH ... CONCURRENTLY would not, but PostgreSQL does not allow it if there is a default partition.
 */
async function dropPartition(tx: Client, { name, endsAt }: Partition): Promise<number> {
  await tx.query(`drop table if exists ${name}`);
  await raiseKeptSince(tx, endsAt);
  return 1;
}

async function deleteExpiredRows(tx: Client, retentionDays: number): Promise<number> {
  const { rows } = await tx.query<{ endsAt: string; count: number }>(
    `with expired as (
       delete from attempts_default where ctid = any (array(
         select ctid from attempts_default where answered_at < ${cutoff} limit ${rowsPerStepMax}
       )) returning 1
     ) select (${cutoff})::text as "endsAt", count(*) as count from expired`,
    [retentionDays],
  );
  const [row] = rows;
  if (!row?.count) return 0;
  await raiseKeptSince(tx, row.endsAt);
  return row.count;
}

async function raiseKeptSince(tx: Client, since: string): Promise<void> {
  await tx.query('update attempts_kept set since = greatest(since, $1::timestamptz)', [since]);
}
