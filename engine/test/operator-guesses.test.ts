import { describe, expect, it } from 'vitest';
import { addOperatorAction, pruneOperatorActions } from '../src/operators/actions.js';
import { createGuesses } from '../src/operators/guesses.js';
import type { Pool } from '../src/platform/postgres.js';
import { type Answer, startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { operatorToken } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { startTestRoles } from './support/roles.js';

const path = '/api/admin/session';

describe('wrong secrets of operators', () => {
  it('are counted by all processes together, by name and by address', async () => {
    const { one, other } = await startTwo({ OPERATOR_LOCKOUT_SECONDS: '4' });
    expect(await statusesOf([one, other, one, other], api => guess(api, '203.0.113.1'))).toEqual(all(401, 4));

    expect(await statusesOf([one, other], api => signIn(api, '203.0.113.1'))).toEqual(all(429, 2));
    expect(await statusesOf([one, other], api => signIn(api, '203.0.113.2'))).toEqual(all(429, 2));
    expect(await statusesOf([one, other], api => bearer(api, '203.0.113.1'))).toEqual(all(429, 2));
    // Refused tries do not prolong it.
    await until('the lock is over', async () => (await signIn(other, '203.0.113.2')).status === 201, 20_000);
    expect((await signIn(one, '203.0.113.1')).status).toBe(201);
  });

  it('keep no operator out for ever: not from where they have come before, nor with the bearer token', async () => {
    const { one, other } = await startTwo();
    expect((await signIn(one, '203.0.113.7')).status).toBe(201);
    const places = ['1', '2', '3', '4', '5', '6'].map(n => `198.51.100.${n}`);
    const guesses: number[] = [];
    for (const place of places) guesses.push((await guess(one, place)).status);
    expect(guesses).toEqual([...all(401, 4), ...all(429, 2)]);

    expect(await statusesOf([one, other], api => signIn(api, '203.0.113.8'))).toEqual(all(429, 2));
    expect(await statusesOf([one, other], api => bearer(api, '203.0.113.8'))).toEqual(all(200, 2));
    expect(await statusesOf([other, one], api => signIn(api, '203.0.113.7'))).toEqual(all(201, 2));
    // There, too, only so many may be wrong.
    expect(await statusesOf([one, other, one, other, one], api => guess(api, '203.0.113.7'))).toEqual([
      ...all(401, 4),
      429,
    ]);
  });

  it('are refused one by one, however many come at once', async () => {
    const { one } = await startTwo();
    const answers = await Promise.all(Array.from({ length: 40 }, () => guess(one, '203.0.113.1')));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(4);
    expect(answers.filter(({ slug }) => slug === 'locked-out')).toHaveLength(36);
  });

  it('are counted by each process for itself while the database is slow, and the right one gets in', async () => {
    const { one, pool } = await startTwo();
    const client = await pool.connect();
    await client.query('begin; lock table operator_guesses, operator_sessions in access exclusive mode');
    const guesses = await Promise.all(Array.from({ length: 8 }, () => bearer(one, '203.0.113.1', 'wrong')));
    const right = await bearer(one, '203.0.113.2');
    const locked = await bearer(one, '203.0.113.1');
    await client.query('rollback');
    client.release();

    expect(guesses.map(({ status }) => status).sort()).toEqual([...all(401, 4), ...all(429, 4)]);
    expect(right.status).toBe(200);
    expect(locked.status).toBe(429);
  });

  it('are kept for 10,000 names at most, those that guessed last, and until their lock is over', async () => {
    const { pool } = await createTestDatabase();
    const guesses = createGuesses(pool, 300);
    await pool.query(`insert into operator_guesses
                      select 'address ' || n, 1, clock_timestamp() - make_interval(secs => n / 100.0)
                      from generate_series(1, 10050) n`);
    await guesses.add(['address new']);
    expect(await countOf(pool, 'operator_guesses')).toBe(10_000);
    expect(await guesses.read(['address 10050', 'address 1'])).toMatchObject([{ name: 'address 1' }]);

    await pool.query(`update operator_guesses set last_at = last_at - interval '5 minutes'`);
    expect(await guesses.read(['address 1'])).toEqual([]);
    await guesses.add(['address 1']);
    expect(await guesses.read(['address 1'])).toMatchObject([{ failures: 1 }]);
    expect(await countOf(pool, 'operator_guesses')).toBe(1);
  });
});

describe('what operators did', () => {
  it('is forgotten by the scheduler after the days that the setting says, a bounded number at once', async () => {
    const { url, pool } = await createTestDatabase();
    await fillTrail(pool, 2500, '3 days');
    await fillTrail(pool, 5, '1 day');
    expect(await pruneOperatorActions(pool, 0)).toBe(0);
    expect(await pruneOperatorActions(pool, 2)).toBe(1000);
    expect(await countOf(pool, 'operator_actions')).toBe(1505);

    await startTestRoles(url, ['scheduler'], { OPERATOR_ACTIONS_RETENTION_DAYS: '2' });
    await until('the old ones are gone', async () => (await countOf(pool, 'operator_actions')) === 5, 20_000);
    expect(await pruneOperatorActions(pool, 2)).toBe(0);
  });
});

const all = (status: number, count: number) => Array.from({ length: count }, () => status);

async function startTwo(env: Record<string, string> = {}) {
  const { url, pool } = await createTestDatabase();
  const settings = { OPERATOR_TRIES_MAX: '4', TRUST_PROXY: '127.0.0.0/8', ...env };
  const [one, other] = [await startTestApi(url, settings), await startTestApi(url, settings)];
  return { one, other, pool };
}

async function statusesOf(
  apis: readonly TestApi[],
  ask: (api: TestApi) => Promise<Answer>,
): Promise<number[]> {
  const statuses: number[] = [];
  for (const api of apis) statuses.push((await ask(api)).status);
  return statuses;
}

function signIn(api: TestApi, from: string, secret = operatorToken): Promise<Answer> {
  return api.request('POST', path, { body: { secret }, headers: { 'x-forwarded-for': from } });
}

const guess = (api: TestApi, from: string) => signIn(api, from, 'wrong');

function bearer(api: TestApi, from: string, secret = operatorToken): Promise<Answer> {
  return api.request('GET', path, {
    headers: { 'x-forwarded-for': from, authorization: `Bearer ${secret}` },
  });
}

async function countOf(
  pool: Pool,
  table: 'operator_guesses' | 'operator_actions',
): Promise<number | undefined> {
  const { rows } = await pool.query<{ count: number }>(`select count(*) as count from ${table}`);
  return rows[0]?.count;
}

async function fillTrail(pool: Pool, count: number, age: string): Promise<void> {
  const action = { operator: 'ann', sessionId: null, action: 'GET /', target: '/', detail: null };
  const actionId = await addOperatorAction(pool, { ...action, ip: '::1', requestId: 'r' });
  await pool.query(
    `insert into operator_actions (at, operator, action, target, ip, request_id)
     select clock_timestamp() - $2::interval, operator, action, target, ip, request_id
     from operator_actions, generate_series(1, $1) where action_id = $3`,
    [count, age, actionId],
  );
  await pool.query('delete from operator_actions where action_id = $1', [actionId]);
}
