import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Answer, startTestApi, type TestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
import { readProtection } from './support/protection.js';
import { createTestSale, stockOf } from './support/sale.js';
import { createShopper, heldBy } from './support/shopper.js';

// One call is refilled per second, which is longer than a handful of calls takes.
const slowRefill = { RATE_LIMIT_IP_MAX: '1', RATE_LIMIT_IP_BURST: '5' };
const nobody = {};

describe('calls per address', () => {
  it('are allowed in a burst, and then refused with the limit and the time to wait', async () => {
    const api = await start(slowRefill);

    const answers = await browse(api, 20);

    const [allowed, refused] = split(answers);
    expect(allowed.length).toBeGreaterThanOrEqual(5);
    expect(allowed.length).toBeLessThan(15);
    expect(refused.length).toBe(20 - allowed.length);
    expect(allowed[0]?.headers.get('ratelimit-policy')).toBe('"ip";q=1;w=1');
    // They were sent at once, and arrived in any order.
    expect(allowed.map(({ headers }) => headers.get('ratelimit'))).toContain('"ip";r=4');
    for (const { slug, headers } of refused) {
      expect(slug).toBe('rate-limited');
      expect(headers.get('ratelimit')).toMatch(/^"ip";r=0;t=1$/);
      expect(headers.get('retry-after')).toMatch(/^[12]$/);
    }
    expect((await readProtection(api)).refused.ip).toBe(refused.length);
  });

  it('count on every path, even one that does not exist', async () => {
    const api = await start(slowRefill);
    const paths = ['/nowhere', '/docs', '/openapi.json', '/api/stock/1', '/api/purchase', '/wp-login.php'];
    const answers = await Promise.all([...paths, ...paths, ...paths].map(path => get(api, path)));
    expect(split(answers)[1].length).toBeGreaterThan(5);
  });

  it('are unlimited with the API key, on operators’ routes, for the health of the process, and at 0', async () => {
    const api = await start(slowRefill);
    for (const ask of [
      () => api.request('GET', '/api/products'),
      () => api.asOperator('GET', '/api/admin/protection'),
      () => get(api, '/api/health'),
    ]) {
      const answers = await Promise.all(Array.from({ length: 20 }, ask));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(answers[0]?.headers.get('ratelimit')).toBeNull();
    }
    const off = await start({ RATE_LIMIT_IP_MAX: '0' });
    expect(split(await browse(off, 50))[1]).toEqual([]);
  });

  it('are counted by X-Forwarded-For only behind a proxy', async () => {
    const api = await start(slowRefill);
    const answers = await browse(api, 20, n => ({ 'x-forwarded-for': `203.0.113.${n}` }));
    expect(split(answers)[1].length).toBeGreaterThan(5);
  });

  it('count for the rightmost hop that is not a proxy, whatever the caller put before it', async () => {
    const api = await start({ ...slowRefill, TRUST_PROXY: '127.0.0.0/8,10.0.0.0/8' });

    const everyone = await browse(api, 20, n => ({ 'x-forwarded-for': `203.0.113.${n}, 10.0.0.9` }));
    const oneWhoLies = await browse(api, 20, n => ({ 'x-forwarded-for': `203.0.113.${n}, 198.51.100.1` }));

    expect(split(everyone)[1]).toEqual([]);
    expect(split(oneWhoLies)[1].length).toBeGreaterThan(5);
  });

  it('share one limit within an IPv6 /64', async () => {
    const api = await start({ ...slowRefill, TRUST_PROXY: '127.0.0.1' });
    const inside = await browse(api, 20, n => ({ 'x-forwarded-for': `2001:db8:1:2::${n}` }));
    const outside = await browse(api, 20, n => ({ 'x-forwarded-for': `2001:db8:2:${n}::1` }));
    expect(split(inside)[1].length).toBeGreaterThan(5);
    expect(split(outside)[1]).toEqual([]);
  });

  it('count for the proxy itself if it names no client', async () => {
    const api = await start({ ...slowRefill, TRUST_PROXY: '127.0.0.1' });
    const garbage = ['unknown', '_hidden', '', ',,,', '999.1.1.1', 'x'.repeat(4000)];
    const answers = await browse(api, 24, n => ({ 'x-forwarded-for': garbage[n % garbage.length] ?? '' }));
    expect(split(answers)[1].length).toBeGreaterThan(5);
  });
});

describe('purchases per shopper', () => {
  const limits = { IDENTITY: 'demo', RATE_LIMIT_USER_MAX: '3' };

  it('are limited per window, separately for each shopper, and refused with the limit and the time to wait', async () => {
    const { api, productId } = await startSale(limits);
    const [anna, bert] = [await signIn(api), await signIn(api)];

    const answers = await inTurn(5, () => buy(api, anna, { productId }));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429]);
    expect(answers[0]?.headers.get('ratelimit-policy')).toBe('"shopper";q=3;w=60, "ip-purchases";q=600;w=60');
    expect(answers[0]?.headers.get('ratelimit')).toBe('"shopper";r=2, "ip-purchases";r=599');
    expect(answers[4]?.headers.get('ratelimit')).toMatch(/^"shopper";r=0;t=(20|1?\d)$/);
    expect(answers[4]?.headers.get('retry-after')).toMatch(/^(1?\d|2[0-5])$/);
    expect((await buy(api, bert, { productId })).status).toBe(200);
    expect((await readProtection(api)).refused).toMatchObject({ shopper: 2, ipPurchases: 0 });
  });

  it('include all three ways to buy, but no call to finish an order', async () => {
    const { api, productId, pool, saleId } = await startSale({
      RATE_LIMIT_USER_MAX: '2',
      RATE_LIMIT_SERVICE: 'true',
    });
    const shopper = createShopper(api, 'a');
    const { code } = heldBy(await shopper.checkout(productId));
    expect((await shopper.order(productId)).status).toBe(202);

    for (const buyMore of [shopper.purchase, shopper.checkout, shopper.order]) {
      expect((await buyMore(productId)).slug).toBe('rate-limited');
    }
    expect((await shopper.redeem(code)).status).toBe(200);
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: 1, reserved: 0 });
  });

  it('do not include retries, which get the order of their key', async () => {
    const { api, productId, pool, saleId } = await startSale(limits);
    const anna = await signIn(api);
    const first = await buy(api, anna, { productId }, 'the-key');
    await inTurn(3, () => buy(api, anna, { productId }));

    const retry = await buy(api, anna, { productId }, 'the-key');
    const other = await buy(api, anna, { productId }, 'another-key');
    const reused = await buy(api, anna, { productId, quantity: 2 }, 'the-key');

    expect([retry.status, retry.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
    expect(retry.body.order?.id).toBe(first.body.order?.id);
    expect(retry.headers.get('retry-after')).toBeNull();
    expect([other.slug, reused.slug]).toEqual(['rate-limited', 'idempotency-key-reused']);
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: 3 });
  });

  it('do not count for the shop’s own server, unless configured', async () => {
    const { api, productId } = await startSale({ RATE_LIMIT_USER_MAX: '3' });
    const answers = await inTurn(6, () => api.purchase({ productId, userId: 'a' }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);

    const limited = await startSale({ RATE_LIMIT_USER_MAX: '3', RATE_LIMIT_SERVICE: 'true' });
    const refused = await inTurn(4, () =>
      limited.api.purchase({ productId: limited.productId, userId: 'a' }),
    );
    expect(refused.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
  });

  it('are limited per address as well, across all of its shoppers', async () => {
    const { api, productId } = await startSale({ ...limits, RATE_LIMIT_IP_PURCHASES_MAX: '2' });
    const shoppers = await inTurn(4, () => signIn(api));
    const answers = await inTurn(4, n => buy(api, shoppers[n] ?? nobody, { productId }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
    expect((await readProtection(api)).refused).toMatchObject({ shopper: 0, ipPurchases: 2 });
  });

  it('are unlimited at 0', async () => {
    const { api, productId } = await startSale({ ...limits, RATE_LIMIT_USER_MAX: '0' });
    const anna = await signIn(api);
    const answers = await inTurn(8, () => buy(api, anna, { productId }));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });
});

async function start(env: Record<string, string>): Promise<TestApi> {
  return startTestApi((await createTestDatabase()).url, env);
}

async function startSale(env: Record<string, string>) {
  const { url, pool } = await createTestDatabase();
  const { saleId, productId } = await createTestSale(pool);
  return { api: await startTestApi(url, env), pool, saleId, productId };
}

const get = (api: TestApi, path: string, headers: Record<string, string> = nobody) =>
  fetch(`${api.url}${path}`, { headers }).then(
    async (response): Promise<Pick<Answer, 'status' | 'slug' | 'headers'>> => {
      const [, slug] = /"type":"\/problems\/([a-z-]+)"/.exec(await response.text()) ?? [];
      return { status: response.status, slug, headers: response.headers };
    },
  );

function browse(
  api: TestApi,
  times: number,
  headersOf: (n: number) => Record<string, string> = () => nobody,
) {
  return Promise.all(Array.from({ length: times }, (_, n) => get(api, '/api/products', headersOf(n))));
}

type Seen = Pick<Answer, 'status' | 'slug' | 'headers'>;

function split(answers: Seen[]): [allowed: Seen[], refused: Seen[]] {
  return [answers.filter(({ status }) => status !== 429), answers.filter(({ status }) => status === 429)];
}

async function inTurn<T>(times: number, act: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let n = 0; n < times; n++) results.push(await act(n));
  return results;
}

async function signIn(api: TestApi): Promise<Record<string, string>> {
  const { body } = await api.request('POST', '/api/session', { headers: nobody });
  return { authorization: `Bearer ${z.object({ token: z.string() }).parse(body).token}` };
}

function buy(api: TestApi, shopper: Record<string, string>, body: object, key?: string): Promise<Answer> {
  const headers = key === undefined ? shopper : { ...shopper, 'idempotency-key': key };
  return api.request('POST', '/api/purchase', { body, headers });
}
