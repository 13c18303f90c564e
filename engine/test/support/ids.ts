import { z } from 'zod';
import type { Pool } from '../../src/platform/postgres.js';
import { serviceHeaders } from './api.js';

const oneSchema = z.strictObject({ id: z.int() });
const batchSchema = z.strictObject({ ids: z.array(z.int()) });

/** Requests one id, or a batch. @returns the ids; undefined if the answer is not 201. */
export async function takeIds(url: string, count?: number): Promise<number[] | undefined> {
  const answer = await fetch(`${url}/api/users${count === undefined ? '' : '/batch'}`, {
    method: 'POST',
    headers: count === undefined ? serviceHeaders : { ...serviceHeaders, 'content-type': 'application/json' },
    ...(count === undefined ? {} : { body: JSON.stringify({ count }) }),
  });
  const body: unknown = await answer.json();
  if (answer.status !== 201) return undefined;
  return count === undefined ? [oneSchema.parse(body).id] : batchSchema.parse(body).ids;
}

export type Verdict = { ids: number; duplicates: number; missing: number; outOfOrder: number };

/**
 * Checks the ids that callers got, each caller's in order of its requests, against the promise: none twice, none
 * missing from the first to the last, and a later one is always larger.
 */
export function judgeIds(byCaller: readonly (readonly number[])[]): Verdict {
  const all = byCaller.flat().sort((a, b) => a - b);
  const distinct = all.filter((id, position) => id !== all[position - 1]);
  const span = distinct.length === 0 ? 0 : (distinct.at(-1) ?? 0) - (distinct[0] ?? 0) + 1;
  const outOfOrder = byCaller.reduce(
    (sum, ids) => sum + ids.filter((id, position) => position > 0 && id <= (ids[position - 1] ?? 0)).length,
    0,
  );
  return {
    ids: all.length,
    duplicates: all.length - distinct.length,
    missing: span - distinct.length,
    outOfOrder,
  };
}

/** The last id that was given out, of users by default. */
export async function lastId(pool: Pool, kind = 'user'): Promise<number> {
  const { rows } = await pool.query<{ last_id: number }>('select last_id from id_counters where name = $1', [
    kind,
  ]);
  return rows[0]?.last_id ?? 0;
}
