import { coalesce } from '../platform/coalesce.js';
import type { Queryable } from '../platform/postgres.js';

/** Takes the next user id: unique, strictly sequential, no gap unless the caller loses the answer. */
export type AllocateUserId = () => Promise<number>;

/** Those who wait at the same time share one statement and one commit. */
export function createAllocateUserId(db: Queryable): AllocateUserId {
  const allocate = coalesce<null, number>(waiters => allocateUserIds(db, waiters.length), {
    keysMax: 10_000,
    waitersMax: 20_000,
    deadlineMs: 2000,
  });
  return () => allocate(null);
}

async function allocateUserIds(db: Queryable, count: number): Promise<number[]> {
  const { rows } = await db.query<{ last: number }>(
    `update id_counters set last_id = last_id + $1 where name = 'user' returning last_id as last`,
    [count],
  );
  const [row] = rows;
  if (!row) throw new Error('id_counters has no row for users');
  return Array.from({ length: count }, (_, position) => row.last - count + 1 + position);
}
