import { describe, expect, it } from 'vitest';
import { createAllocateRange } from '../src/ids/allocate-range.js';
import type { Pool } from '../src/platform/postgres.js';
import { startTestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { startRoleProcess } from './support/engine.js';
import { startFaultProxy } from './support/fault-proxy.js';
import { judgeIds, lastId, takeIds } from './support/ids.js';

describe('when the reply to COMMIT is lost', () => {
  it('every caller still gets its ids, and none is missing', async () => {
    const { url, pool } = await createTestDatabase();
    const { byCaller, cuts } = await takeWhileRepliesAreCut(url);
    expect(cuts).toBe(3);
    expect(judgeIds(byCaller)).toEqual({ ids: 505, duplicates: 0, missing: 0, outOfOrder: 0 });
    expect(await lastId(pool)).toBe(505);
  });

  it('ids would be missing if the process could not ask for its last ones again', async () => {
    const { url, pool } = await createTestDatabase();
    await forgetAllocations(pool);
    const { byCaller } = await takeWhileRepliesAreCut(url);
    expect(judgeIds(byCaller)).toMatchObject({ ids: 505, duplicates: 0 });
    expect(await lastId(pool)).toBeGreaterThan(505);
  });

  it('and a process cannot ask in time, callers get 503; ids may then be missing, and none is given twice', async () => {
    const { url, pool } = await createTestDatabase();
    const proxy = await startFaultProxy(url);
    const api = await startTestApi(proxy.url);
    proxy.cutReplyTo('allocate-ids', 1000);
    const refused = await api.request('POST', '/api/users/batch', { body: { count: 10 } });
    proxy.cutReplyTo('', 0);

    expect(refused).toMatchObject({ status: 503, slug: 'unavailable' });
    // More than ten tries have taken ten ids, not a hundred.
    expect(await lastId(pool)).toBe(10);
    expect(await takeIds(api.url)).toEqual([11]);
  });
});

describe('a request for ids', () => {
  it('takes its ids once if it is sent twice at the same time', async () => {
    const { pool } = await createTestDatabase();
    const allocateRange = createAllocateRange(pool, 'user');
    const ranges = await Promise.all(Array.from({ length: 10 }, () => allocateRange(1, 7)));
    expect(ranges).toEqual(Array(10).fill({ first: 1, last: 7 }));
    expect(await lastId(pool)).toBe(7);
  });

  it('takes nothing if it arrives after a later one', async () => {
    const { pool } = await createTestDatabase();
    const allocateRange = createAllocateRange(pool, 'user');
    await allocateRange(2, 5);
    await expect(allocateRange(1, 7)).rejects.toThrow('sent after a later one');
    expect(await lastId(pool)).toBe(5);
  });

  it('of a process that ended long ago is forgotten', async () => {
    const { pool } = await createTestDatabase();
    for (let i = 0; i < 3; i++) await createAllocateRange(pool, 'user')(1, 1);
    await pool.query(`update id_allocations set allocated_at = allocated_at - interval '2 hours'`);
    await createAllocateRange(pool, 'user')(1, 1);
    expect((await pool.query('select from id_allocations')).rows).toHaveLength(1);
  });
});

describe('when PostgreSQL is unreachable', () => {
  it('callers wait, and get their ids once it is back', async () => {
    const { url, pool } = await createTestDatabase();
    const proxy = await startFaultProxy(url);
    const api = await startTestApi(proxy.url);
    await takeIds(api.url);
    proxy.sever();
    const waiting = Promise.all(Array.from({ length: 20 }, () => takeIds(api.url)));
    proxy.mend();
    expect(judgeIds((await waiting).map(ids => ids ?? []))).toMatchObject({ ids: 20, missing: 0 });
    expect(await lastId(pool)).toBe(21);
  });

  it('callers are refused at their deadline, and no id is missing for requests that were not sent', async () => {
    const { url } = await createTestDatabase();
    const proxy = await startFaultProxy(url);
    const api = await startTestApi(proxy.url, { DB_TIMEOUT: '500' });
    expect(await takeIds(api.url)).toEqual([1]);
    proxy.sever();
    expect(await api.request('POST', '/api/users')).toMatchObject({ status: 503, slug: 'unavailable' });
    proxy.mend();
    expect(await takeIds(api.url)).toEqual([2]);
  });
});

describe('kill -9 of a process that gives out ids', () => {
  it('gives none twice, and only ids of unanswered requests may be missing', async () => {
    const { url, pool } = await createTestDatabase();
    const start = () => startRoleProcess('api', url, { DB_POOL_MIN: '0', DRAIN_DELAY_MS: '0' });
    const [victim, survivor] = await Promise.all([start(), start()]);
    const calls = { owed: 0, isOver: false };
    const byCaller = Array.from({ length: 100 }, (): number[] => []);
    const load = Promise.all(
      byCaller.map(async (ids, caller) => {
        const count = caller % 10 === 0 ? 20 : 1;
        while (!calls.isOver) {
          const taken = await takeIds(caller % 2 ? survivor.url : victim.url, count).catch(() => undefined);
          if (taken) ids.push(...taken);
          else calls.owed += count;
          if (!taken) return;
        }
      }),
    );
    await until('ids are given out', () => byCaller.flat().length > 2000, 20_000);
    await victim.kill('SIGKILL');
    const givenBefore = byCaller.flat().length;
    await until('ids are given out after the kill', () => byCaller.flat().length > givenBefore + 200, 20_000);
    calls.isOver = true;
    await load;

    const verdict = judgeIds(byCaller);
    const last = await lastId(pool);
    expect(verdict).toMatchObject({ duplicates: 0, outOfOrder: 0 });
    expect(last - verdict.ids).toBeLessThanOrEqual(calls.owed);
    console.log(
      `${verdict.ids} ids; ${calls.owed} without an answer, of which ${last - verdict.ids} are missing`,
    );
    expect(await takeIds(survivor.url)).toEqual([last + 1]);
  }, 60_000);

  it('between COMMIT and the answer leaves only the ids of that statement missing', async () => {
    const { url, pool } = await createTestDatabase();
    const proxy = await startFaultProxy(url);
    const api = await startTestApi(url);
    const victim = await startRoleProcess('api', proxy.url, { DB_POOL_MIN: '0' });
    expect(await takeIds(victim.url)).toEqual([1]);
    // The database commits, and its reply does not arrive while the process lives.
    proxy.setDelay(60_000);
    const lost = takeIds(victim.url, 3).catch(() => undefined);
    await until('the ids are taken', async () => (await lastId(pool)) === 4, 20_000);
    await victim.kill('SIGKILL');

    expect(await lost).toBeUndefined();
    expect(await takeIds(api.url)).toEqual([5]);
  }, 60_000);
});

/** A hundred single ids and 81 from batches of 5, while the database's answer to three statements is lost. */
async function takeWhileRepliesAreCut(url: string): Promise<{ byCaller: number[][]; cuts: number }> {
  const proxy = await startFaultProxy(url);
  const api = await startTestApi(proxy.url);
  proxy.cutReplyTo('allocate-ids', 3);
  const byCaller = await Promise.all(
    Array.from(
      { length: 181 },
      async (_, caller) => (await takeIds(api.url, caller < 81 ? 5 : undefined)) ?? [],
    ),
  );
  return { byCaller, cuts: proxy.cuts() };
}

/** The counter without its memory of what each process was given last. */
async function forgetAllocations(pool: Pool): Promise<void> {
  await pool.query(`
    create or replace function allocate_ids(p_kind text, p_allocator uuid, p_request bigint, p_count integer)
    returns table (first_id bigint, last_id bigint) language sql as $$
      update id_counters c set last_id = c.last_id + p_count where c.name = p_kind
      returning c.last_id - p_count + 1, c.last_id
    $$`);
}
