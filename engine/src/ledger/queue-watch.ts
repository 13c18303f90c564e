import type { Queryable } from '../platform/postgres.js';

/**
 * Shares between processes how old the oldest message of a queue outside this database can be. Each process sees a part of
 * the queue; the lowest age that any of them has seen holds for all.
 *
 * @param ageMs what the caller has seen; undefined if it has seen nothing yet.
 * @returns undefined until some process has seen something.
 */
export async function shareQueueAge(db: Queryable, ageMs: number | undefined): Promise<number | undefined> {
  // Locks: the one row. Index: queue_watch_pkey.
  const { rows } = await db.query<{ ageMs: number | null }>({
    name: 'share-queue-age',
    text: `with seen as (
             insert into queue_watch (waits_since, seen_at)
             select clock_timestamp() - $1::float8 * interval '1 millisecond', clock_timestamp()
             where $1::float8 is not null
             on conflict (is_only) do update
             set waits_since = greatest(queue_watch.waits_since, excluded.waits_since), seen_at = excluded.seen_at
             returning waits_since
           )
           select extract(epoch from clock_timestamp() - coalesce(
             (select waits_since from seen), (select waits_since from queue_watch)))::float8 * 1000 as "ageMs"`,
    values: [ageMs ?? null],
  });
  return rows[0]?.ageMs ?? undefined;
}
