import { solveChallenge } from 'altcha-lib/v1';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createSpendChallenge } from '../src/admission/proofs/spend-challenge.js';
import { type Answer, serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale, type SaleOptions, stockOf } from './support/sale.js';

const challengeSchema = z.looseObject({
  algorithm: z.string(),
  challenge: z.string(),
  maxnumber: z.int(),
  salt: z.string(),
  signature: z.string(),
});
const base64 = (solution: unknown) => Buffer.from(JSON.stringify(solution)).toString('base64');

describe('a sale with a challenge', () => {
  it('sells to a shopper who has solved one, in all three ways to buy, and to no other shopper', async () => {
    const { api, pool, productId, saleId } = await startShop({ challenge: 1000 });
    const roads = ['/api/purchase', '/api/checkout', '/api/orders'];
    for (const path of roads) {
      const bare = await buy(api, path, { productId, userId: 'a' });
      expect(bare).toMatchObject({ status: 403, slug: 'challenge-required' });
    }
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 100 });
    for (const path of roads) {
      const challenge = await solved(api, productId, 'a');
      expect((await buy(api, path, { productId, userId: 'a', challenge })).status).toBeLessThan(300);
    }
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 98, sold: 1, reserved: 1 });
    await expectCleanAudit(pool);
  });

  it('accepts one solution once: of 20 purchases at once in two processes, one is granted', async () => {
    const { api, url, pool, productId } = await startShop({ challenge: 1000 });
    const other = await startTestApi(url);
    const challenge = await solved(api, productId, 'a');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, position) =>
        buy(position % 2 ? api : other, '/api/purchase', { productId, userId: 'a', challenge }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(answers.map(({ slug }) => slug))).toEqual(new Set([undefined, 'challenge-failed']));
    await expectCleanAudit(pool);
  });

  it('recognises a retry by its key, even if the challenge is missing or old by then', async () => {
    const { api, productId } = await startShop({ challenge: 1000 });
    const challenge = await solved(api, productId, 'a');
    const purchase = { productId, userId: 'a', challenge };
    const first = await buy(api, '/api/purchase', purchase, 'k');
    expect(first.status).toBe(200);
    for (const again of [purchase, { productId, userId: 'a' }, { ...purchase, challenge: 'old' }]) {
      const answer = await buy(api, '/api/purchase', again, 'k');
      expect(answer.body.order?.id).toBe(first.body.order?.id);
    }
    expect(await buy(api, '/api/purchase', purchase, 'another')).toMatchObject({ slug: 'challenge-failed' });
  });

  it("refuses a solution that is another shopper's, another sale's, forged, changed, or not a solution", async () => {
    const { api, pool, productId } = await startShop({ challenge: 1000 });
    const elsewhere = await createTestSale(pool, { challenge: 1000 });
    const theirs = await solved(api, productId, 'b');
    const ofAnotherSale = await solved(api, elsewhere.productId, 'a');
    const mine = z
      .looseObject({ number: z.int(), salt: z.string() })
      .parse(read(await solved(api, productId, 'a')));
    const bad = [
      theirs,
      ofAnotherSale,
      base64({ ...mine, number: mine.number + 1 }),
      base64({ ...mine, number: String(mine.number) }),
      // The same text to hash, with digits of the deadline moved into the number.
      base64({ ...mine, salt: mine.salt.split('expires')[0], number: `expires=1&${mine.number}` }),
      base64({ ...mine, salt: mine.salt.replace(/expires=\d+/, 'expires=9999999999') }),
      base64({ ...mine, algorithm: 'SHA-1' }),
      base64({ ...mine, signature: '0'.repeat(64) }),
      ...['x', '%%%', base64(null), base64([]), base64({}), base64('x'), '\u0001'],
    ];
    for (const challenge of bad) {
      const answer = await buy(api, '/api/purchase', { productId, userId: 'a', challenge });
      expect(answer, challenge).toMatchObject({ status: 403, slug: 'challenge-failed' });
    }
    const good = await buy(api, '/api/purchase', { productId, userId: 'a', challenge: base64(mine) });
    expect(good.status).toBe(200);
  });

  it('records refused tries with their reason, and requires no challenge once it is sold out', async () => {
    const { api, pool, productId, saleId } = await startShop({ challenge: 1000, allocation: 1 });
    await buy(api, '/api/purchase', { productId, userId: 'a' });
    await until('the attempt is written', async () => {
      const { rowCount } = await pool.query(`select from attempts where outcome = 'challenge-required'`);
      return rowCount === 1;
    });
    const challenge = await solved(api, productId, 'a');
    expect((await buy(api, '/api/purchase', { productId, userId: 'a', challenge })).status).toBe(200);
    await until('memory knows', async () => (await stockOf(pool, saleId)).available === 0);
    expect(await buy(api, '/api/purchase', { productId, userId: 'b' })).toMatchObject({ slug: 'sold-out' });
  });
});

describe('a used challenge', () => {
  it('belongs to the first purchase that presents it, and is deleted once it is too old to be used', async () => {
    const { pool } = await createTestDatabase();
    const spend = createSpendChallenge(pool);
    const orderId = (last: number) => `00000000-0000-8000-8000-00000000000${last}`;
    const show = (challenge: string, last: number, inMs: number) =>
      spend({ saleId: 1, challenge, orderId: orderId(last), expiresAt: new Date(Date.now() + inMs) });

    expect(await Promise.all([show('c', 1, 60_000), show('c', 2, 60_000)])).toEqual([true, false]);
    expect(await show('c', 1, 60_000)).toBe(true);
    expect(await show('old', 1, -120_000)).toBe(true);
    expect(await show('d', 3, 60_000)).toBe(true);
    const { rows } = await pool.query<{ challenge: string }>(
      'select challenge from spent_challenges order by challenge',
    );
    expect(rows).toEqual([{ challenge: 'c' }, { challenge: 'd' }]);
  });
});

describe('a sale that requires a token', () => {
  it('sells to a shopper who fetched one before it opened, and to no later shopper', async () => {
    const { api, pool, productId, saleId } = await startShop({
      requiresToken: true,
      startsInMs: 3_600_000,
      endsInMs: 7_200_000,
    });
    const early = await fetchToken(api, productId, 'early');
    expect(early).toMatchObject({ status: 200, body: { saleId } });
    const { token } = early.body;
    expect((await fetchToken(api, productId, 'early')).body.token).toBe(token);
    expect(await buy(api, '/api/purchase', { productId, userId: 'early', token })).toMatchObject({
      slug: 'sale-not-open',
    });

    await pool.query(`update sales set starts_at = clock_timestamp() - interval '1 second'`);
    await pool.query(`select pg_notify('doorbuster_catalog', $1)`, [JSON.stringify({ productId })]);
    await until(
      'it is open',
      async () => (await fetchToken(api, productId, 'late')).slug === 'token-too-late',
    );

    expect((await buy(api, '/api/purchase', { productId, userId: 'early', token })).status).toBe(200);
    for (const wrong of [undefined, token, 'x', 'A'.repeat(43)]) {
      const answer = await buy(api, '/api/purchase', { productId, userId: 'late', token: wrong });
      expect(answer).toMatchObject({ status: 403, slug: 'token-required' });
    }
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: 1 });
    await expectCleanAudit(pool);
  });
});

describe('a sale without protection against bots', () => {
  it('offers no challenge or token, and ignores them', async () => {
    const { api, productId } = await startShop({});
    expect((await fetchToken(api, productId, 'a')).status).toBe(404);
    expect((await ask(api, '/api/challenge', productId, 'a')).status).toBe(404);
    const answer = await buy(api, '/api/purchase', { productId, userId: 'a', challenge: 'x', token: 'x' });
    expect(answer.status).toBe(200);
  });

  it('is what operators create by default, and a repeating sale always is one', async () => {
    const { api, pool } = await startShop({});
    const made = await createTestSale(pool);
    await api.asOperator('POST', `/api/admin/sales/${made.saleId}/end`);
    const sale = {
      productId: made.productId,
      startsAt: '2036-01-01T00:00:00Z',
      endsAt: '2036-01-01T01:00:00Z',
      allocation: 1,
      perUserLimit: 1,
    };
    const recurrence = { cron: '0 0 * * *', timeZone: 'UTC' };
    for (const proof of [{ challenge: 1000 }, { requiresToken: true }]) {
      const refused = await api.asOperator('POST', '/api/admin/sales', { ...sale, ...proof, recurrence });
      expect(refused).toMatchObject({ status: 400, slug: 'invalid' });
    }
    const plain = await api.asOperator('POST', '/api/admin/sales', sale);
    expect(plain.body).toMatchObject({ challenge: null, requiresToken: false });
    await api.asOperator('POST', `/api/admin/sales/${z.int().parse(plain.body.id)}/end`);
    const asking = { ...sale, challenge: 50_000, requiresToken: true };
    expect((await api.asOperator('POST', '/api/admin/sales', asking)).body).toMatchObject({
      challenge: 50_000,
      requiresToken: true,
    });
  });
});

async function startShop(options: SaleOptions) {
  const { url, pool } = await createTestDatabase();
  const sale = await createTestSale(pool, options);
  return { ...sale, url, pool, api: await startTestApi(url) };
}

function buy(api: TestApi, path: string, body: object, key?: string): Promise<Answer> {
  const headers = key === undefined ? serviceHeaders : { ...serviceHeaders, 'idempotency-key': key };
  return api.request('POST', path, { body, headers });
}

function ask(api: TestApi, path: string, productId: number, userId: string): Promise<Answer> {
  const headers = { ...serviceHeaders, 'x-user-id': userId };
  return api.request('GET', `${path}?productId=${productId}`, { headers });
}

function fetchToken(api: TestApi, productId: number, userId: string): Promise<Answer> {
  return ask(api, '/api/purchase-token', productId, userId);
}

/** Fetches a challenge and solves it, as a browser does. */
async function solved(api: TestApi, productId: number, userId: string): Promise<string> {
  const given = challengeSchema.parse((await ask(api, '/api/challenge', productId, userId)).body);
  const { challenge, salt, algorithm, maxnumber, signature } = given;
  const solution = await solveChallenge(challenge, salt, algorithm, maxnumber).promise;
  return base64({ algorithm, challenge, salt, signature, number: solution?.number });
}

function read(solution: string): unknown {
  return JSON.parse(Buffer.from(solution, 'base64').toString());
}
