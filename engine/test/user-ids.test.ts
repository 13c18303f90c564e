import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createAllocateIds } from '../src/ids/allocate.js';
import type { Pool } from '../src/platform/postgres.js';
import { serviceHeaders, startTestApi } from './support/api.js';
import { until } from './support/condition.js';
import { operatorToken } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { startRoleProcess } from './support/engine.js';
import { judgeIds, lastId, takeIds } from './support/ids.js';

const sessionSchema = z.looseObject({ userId: z.number(), token: z.string() });

// Four processes with few connections each, which end at once.
const processSettings = { DB_POOL_MAX: '5', DB_POOL_MIN: '0', DRAIN_DELAY_MS: '0' };

describe('user ids from 4 processes for 1,000 callers', () => {
  it('are 100,000 in sequence: none twice, none missing, and larger with each request', async () => {
    const { url, pool } = await createTestDatabase();
    const engines = await Promise.all(
      Array.from({ length: 4 }, () => startRoleProcess('api', url, processSettings)),
    );
    // Four single ids and a batch of 96, each from another process.
    const takeHundred = async (caller: number) => {
      const ids: number[] = [];
      for (let turn = 0; turn < 5; turn++) {
        const engine = engines[(caller + turn) % engines.length];
        const taken = await takeIds(engine?.url ?? '', turn === caller % 5 ? 96 : undefined);
        ids.push(...(taken ?? []));
      }
      return ids;
    };

    const byCaller = await Promise.all(Array.from({ length: 1000 }, (_, caller) => takeHundred(caller)));

    expect(judgeIds(byCaller)).toEqual({ ids: 100_000, duplicates: 0, missing: 0, outOfOrder: 0 });
    expect(await lastId(pool)).toBe(100_000);
  }, 60_000);

  it('fail this check if the counter is read and written in two steps: the negative control', async () => {
    const { url, pool } = await createTestDatabase();
    await pool.query(`
      create or replace function allocate_ids(p_kind text, p_allocator uuid, p_request bigint, p_count integer)
      returns table (first_id bigint, last_id bigint) language plpgsql as $$
      declare v_last bigint;
      begin
        select c.last_id into v_last from id_counters c where c.name = p_kind;
        perform pg_sleep(0.01);
        update id_counters c set last_id = v_last + p_count where c.name = p_kind;
        return query select v_last + 1, v_last + p_count;
      end $$`);
    const apis = await Promise.all(Array.from({ length: 4 }, () => startTestApi(url)));

    const byCaller = await Promise.all(
      Array.from({ length: 100 }, (_, caller) => takeIds(apis[caller % 4]?.url ?? '')),
    );

    expect(judgeIds(byCaller.map(ids => ids ?? [])).duplicates).toBeGreaterThan(0);
  });
});

describe('POST /api/users', () => {
  it('requires the API key: 401 without a token, 403 for a shopper and 401 for an operator', async () => {
    const { url, pool } = await createTestDatabase();
    const api = await startTestApi(url, { IDENTITY: 'demo' });
    const session = await api.request('POST', '/api/session', { headers: {} });
    const { token, userId } = sessionSchema.parse(session.body);
    const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

    for (const path of ['/api/users', '/api/users/batch']) {
      const body = path === '/api/users' ? {} : { count: 5 };
      const anonymous = await api.request('POST', path, { body, headers: {} });
      const shopper = await api.request('POST', path, { body, headers: bearer(token) });
      const operator = await api.request('POST', path, { body, headers: bearer(operatorToken) });
      expect(anonymous).toMatchObject({ status: 401, slug: 'not-authenticated' });
      expect(shopper).toMatchObject({ status: 403, slug: 'forbidden' });
      expect(operator).toMatchObject({ status: 401, slug: 'not-authenticated' });
    }
    // Sign-up uses the same counter, and refusals take no id.
    expect(await lastId(pool)).toBe(userId);
    expect(await takeIds(api.url)).toEqual([userId + 1]);
  });

  it('accepts no body or an empty one, and refuses unknown fields', async () => {
    const { url, pool } = await createTestDatabase();
    const api = await startTestApi(url);
    const post = (path: string, body?: unknown) =>
      api.request('POST', path, {
        ...(body === undefined ? {} : { body }),
        headers: serviceHeaders,
      });

    expect(await post('/api/users')).toMatchObject({ status: 201, body: { id: 1 } });
    expect(await post('/api/users', {})).toMatchObject({ status: 201, body: { id: 2 } });
    expect(await post('/api/users', { kind: 'user' })).toMatchObject({ status: 201, body: { id: 3 } });
    for (const body of [
      '[]',
      '1',
      '"x"',
      '{"id":7}',
      '{"kind":"nobody"}',
      '{"kind":1}',
      '{"count":2}',
      '{',
    ]) {
      expect({ body, answer: await post('/api/users', body) }).toMatchObject({
        answer: { status: 400, slug: 'invalid' },
      });
    }
    for (const count of [0, -1, 1.5, 10_001, '1', null, true, [1], undefined]) {
      const answer = await post('/api/users/batch', { count });
      expect({ count, answer }).toMatchObject({
        answer: { status: 400, slug: 'invalid', body: { detail: expect.stringMatching(/1 to 10,000/) } },
      });
    }
    expect(await lastId(pool)).toBe(3);
  });

  it('gives 1 to 10,000 consecutive ids in a batch', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url);
    expect(await takeIds(api.url, 1)).toEqual([1]);
    expect(await takeIds(api.url, 10_000)).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 2));
    expect(await takeIds(api.url)).toEqual([10_002]);
  });

  it('counts each kind separately, even two that are used for the first time at once', async () => {
    const { url, pool } = await createTestDatabase();
    const apis = await Promise.all(
      Array.from({ length: 2 }, () => startTestApi(url, { ID_KINDS: 'guest,ticket' })),
    );
    const take = async (api: number, kind: string) =>
      apis[api]?.request('POST', '/api/users/batch', { body: { count: 10, kind } });

    const answers = await Promise.all([0, 1, 0, 1].flatMap(api => [take(api, 'guest'), take(api, 'ticket')]));

    expect(answers.map(answer => answer?.status)).toEqual(Array(8).fill(201));
    expect(await Promise.all(['guest', 'ticket', 'user'].map(kind => lastId(pool, kind)))).toEqual([
      40, 40, 0,
    ]);
  });
});

describe('the health of user ids', () => {
  it('is reported without giving out an id, with a reason when it is bad', async () => {
    const { url, pool } = await createTestDatabase();
    const api = await startTestApi(url);
    const healths = await Promise.all(
      Array.from({ length: 50 }, () => api.request('GET', '/api/users/health', { headers: {} })),
    );
    expect(new Set(healths.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await lastId(pool)).toBe(0);

    await pool.query(`update id_counters set name = 'elsewhere' where name = 'user'`);
    const missing = await api.request('GET', '/api/users/health');
    expect(missing).toMatchObject({ status: 503, slug: 'unavailable' });
    expect(missing.body).toMatchObject({ detail: expect.stringContaining('counter of user ids is missing') });
  });
});

describe('callers who wait for user ids', () => {
  it('are limited: one caller or one id beyond the limit is refused at once and takes nothing', async () => {
    const { pool } = await createTestDatabase();
    const allocate = createAllocateIds(pool, { waitersMax: 10, idsWaitingMax: 100 });
    const release = await holdCounter(pool);
    const first = allocate('user', 1);
    await untilCounterIsWaitedFor(pool);

    const nine = Array.from({ length: 9 }, () => allocate('user', 1));
    expect(await allocate('user', 92)).toEqual({ outcome: 'overloaded' });
    const tenth = allocate('user', 91);
    expect(await allocate('user', 1)).toEqual({ outcome: 'overloaded' });
    await release();

    const waited = await Promise.all([first, ...nine, tenth]);
    expect(waited.map(allocation => allocation.outcome === 'allocated' && allocation.first)).toEqual(
      Array.from({ length: 11 }, (_, position) => position + 1),
    );
    expect(await lastId(pool)).toBe(101);
  });

  it('are refused after their deadline while the one before them hangs, and take nothing', async () => {
    const { pool } = await createTestDatabase();
    const allocate = createAllocateIds(pool, { deadlineMs: 200 });
    const release = await holdCounter(pool);
    const first = allocate('user', 1);
    await untilCounterIsWaitedFor(pool);

    expect(await allocate('user', 5)).toEqual({ outcome: 'overloaded' });
    await release();

    expect(await first).toEqual({ outcome: 'allocated', first: 1, last: 1 });
    expect(await lastId(pool)).toBe(1);
  });

  it('get 503 beyond a million waiting ids, and a refused caller has taken none', async () => {
    const { url, pool } = await createTestDatabase();
    const api = await startTestApi(url);
    const release = await holdCounter(pool);
    const takeBatch = () => api.request('POST', '/api/users/batch', { body: { count: 10_000 } });
    const first = takeBatch();
    await untilCounterIsWaitedFor(pool);

    const answers = Array.from({ length: 101 }, takeBatch);
    const refused = await Promise.race(answers);
    await release();

    expect(refused).toMatchObject({ status: 503, slug: 'overloaded' });
    expect(refused.headers.get('retry-after')).toMatch(/^[1-3]$/);
    const given = (await Promise.all([first, ...answers])).filter(({ status }) => status === 201);
    expect(await lastId(pool)).toBe(given.length * 10_000);
  });
});

/** Locks the counter of user ids, as a hanging transaction would. @returns what unlocks it. */
async function holdCounter(pool: Pool): Promise<() => Promise<void>> {
  const holder = await pool.connect();
  await holder.query('begin');
  await holder.query(`select from id_counters where name = 'user' for update`);
  return async () => {
    await holder.query('rollback');
    holder.release();
  };
}

function untilCounterIsWaitedFor(pool: Pool): Promise<unknown> {
  const waiting = `select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query ~ 'allocate_ids'`;
  return until(
    'a caller waits for the counter',
    async () => (await pool.query(waiting)).rows.length > 0,
    20_000,
  );
}
