import type { Queryable } from '../platform/postgres.js';

/**
 * Writes down that the queue was seen, and that what waits in it was published less than `oldestAgeMs` ago. Only for a
 * queue outside of this database, of which the audit could know nothing otherwise.
 */
export async function noteQueueSeen(db: Queryable, oldestAgeMs: number): Promise<void> {
  // Locks: the one row. Index: queue_watch_pkey.
  await db.query({
    name: 'note-queue-seen',
    text: `insert into queue_watch (waits_since, seen_at)
           values (clock_timestamp() - $1 * interval '1 millisecond', clock_timestamp())
           on conflict (is_only) do update set waits_since = excluded.waits_since, seen_at = excluded.seen_at`,
    values: [oldestAgeMs],
  });
}
