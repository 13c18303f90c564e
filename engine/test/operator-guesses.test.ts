import { describe, expect, it } from 'vitest';
import { type Answer, serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { operatorToken, secrets } from './support/config.js';
import { createTestDatabase } from './support/database.js';

const path = '/api/admin/session';
const annSecret = 'secret-of-ann-000000';
const operators = [...secrets.operators, { name: 'ann', secret: annSecret }];
// Of the right length, but wrong in its first character.
const wrong = `x${operatorToken.slice(1)}`;
// Right except for its last character.
const nearly = `${operatorToken.slice(0, -1)}x`;

describe('a caller that guesses secrets', () => {
  it('gets 429 by name and by address, while right secrets, bearer tokens and sessions keep working', async () => {
    const api = await start();
    const cookie = (await signIn(api, '203.0.113.1')).headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect(await statusesOf(4, () => signIn(api, '203.0.113.1', wrong))).toEqual(all(401, 4));

    for (const answer of [
      await signIn(api, '203.0.113.1', wrong),
      await signIn(api, '203.0.113.2', wrong),
      await bearer(api, '203.0.113.1', wrong),
      await signIn(api, '203.0.113.1', wrong, 'ann'),
    ]) {
      expect(answer).toMatchObject({ status: 429, slug: 'locked-out' });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(300);
    }
    expect((await signIn(api, '203.0.113.2', wrong, 'ann')).status).toBe(401);
    expect((await signIn(api, '203.0.113.1')).status).toBe(201);
    expect((await signIn(api, '203.0.113.1', annSecret, 'ann')).status).toBe(201);
    expect((await bearer(api, '203.0.113.1')).status).toBe(200);
    expect((await api.request('GET', path, { headers: { cookie } })).status).toBe(200);
  });

  it('cannot lock others out by guessing without a pause from the same address', async () => {
    const api = await start();
    const right: Answer[] = [];
    let isOver = false;
    const guessing = Array.from({ length: 10 }, async () => {
      while (!isOver) await bearer(api, '203.0.113.1', wrong);
    });
    for (let n = 0; n < 5; n++) {
      right.push(await bearer(api, '203.0.113.1'), await signIn(api, '203.0.113.1'));
    }
    isOver = true;
    await Promise.all(guessing);
    expect(right.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => [200, 201]).flat());
  });

  it('has only a limited number of guesses at the rest of a half-known secret, from any address', async () => {
    const api = await start();
    // From so many addresses that none of them has exceeded its limit.
    const places = Array.from({ length: 30 }, (_, n) => `198.51.100.${n}`);
    const near = await Promise.all(places.map(place => bearer(api, place, nearly)));
    expect(near.filter(({ status }) => status === 401)).toHaveLength(4);
    expect(near.filter(({ slug }) => slug === 'locked-out')).toHaveLength(26);
    // A secret with a locked beginning is not compared, even if it is right.
    expect((await bearer(api, '203.0.113.1')).status).toBe(429);
    expect((await signIn(api, '203.0.113.1')).status).toBe(429);
    // The secret of another operator is compared.
    expect((await bearer(api, '203.0.113.1', annSecret)).status).toBe(200);
  });

  it('is told apart from callers with right secrets, however many arrive at once', async () => {
    const api = await start();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => signIn(api, '203.0.113.1', n === 20 ? operatorToken : wrong)),
    );
    const count = (status: number) => answers.filter(answer => answer.status === status).length;
    expect([count(401), count(429), count(201)]).toEqual([4, 35, 1]);
  });

  it('may try again when the lock-out is over, which refused guesses do not prolong', async () => {
    const api = await start({ OPERATOR_LOCKOUT_SECONDS: '2' });
    await statusesOf(4, () => bearer(api, '203.0.113.1', wrong));
    await until(
      'wrong secrets get 401 again',
      async () => (await bearer(api, '203.0.113.1', wrong)).status === 401,
      20_000,
    );
  });

  it('is neither a caller without a secret nor one with the shop’s, and has no limit at 0', async () => {
    const open = await start({ OPERATOR_TRIES_MAX: '0' });
    expect(await statusesOf(20, () => bearer(open, '203.0.113.1', nearly))).toEqual(all(401, 20));
    const api = await start({ OPERATOR_TRIES_MAX: '1' });
    for (let tries = 0; tries < 3; tries++) {
      expect((await api.request('GET', path, { headers: serviceHeaders })).status).toBe(403);
      expect((await api.request('GET', path, { headers: {} })).status).toBe(401);
    }
    expect((await bearer(api, '127.0.0.1', wrong)).status).toBe(401);
  });
});

const all = (status: number, count: number) => Array.from({ length: count }, () => status);

async function start(env: Record<string, string> = {}): Promise<TestApi> {
  const { url } = await createTestDatabase();
  const settings = { OPERATOR_TRIES_MAX: '4', TRUST_PROXY: '127.0.0.0/8', ...env };
  return startTestApi(url, settings, { secrets: { ...secrets, operators } });
}

async function statusesOf(count: number, ask: () => Promise<Answer>): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < count; n++) statuses.push((await ask()).status);
  return statuses;
}

function signIn(api: TestApi, from: string, secret = operatorToken, operator?: string): Promise<Answer> {
  return api.request('POST', path, { body: { operator, secret }, headers: { 'x-forwarded-for': from } });
}

function bearer(api: TestApi, from: string, secret = operatorToken): Promise<Answer> {
  return api.request('GET', path, {
    headers: { 'x-forwarded-for': from, authorization: `Bearer ${secret}` },
  });
}
