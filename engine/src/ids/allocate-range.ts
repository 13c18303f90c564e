import { randomUUID } from 'node:crypto';
import type { Queryable } from '../platform/postgres.js';

/** Consecutive ids, both ends included. */
export type IdRange = { first: number; last: number };

/**
 * Takes the next `count` ids. `request` counts the requests of this allocator from 1, one at a time. A retry of the same
 * request after any failure gets the same ids, so its `count` must be the same too.
 */
export type AllocateRange = (request: number, count: number) => Promise<IdRange>;

/** One allocator: a process, and a kind of id. */
export function createAllocateRange(db: Queryable, kind: string): AllocateRange {
  const allocator = randomUUID();
  return async (request, count) => {
    const { rows } = await db.query<{ first_id: number; last_id: number }>({
      name: 'allocate-ids',
      text: 'select first_id, last_id from allocate_ids($1, $2, $3, $4)',
      values: [kind, allocator, request, count],
    });
    const [range] = rows;
    if (!range) throw new Error(`request ${request} for ids was sent after a later one`);
    return { first: range.first_id, last: range.last_id };
  };
}
