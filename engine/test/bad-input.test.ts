import { describe, expect, it } from 'vitest';
import { type Answer, serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { apiKey } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale, stockOf } from './support/sale.js';

/** Bodies of POST /api/purchase; `P` stands for the id of a product that is on sale. */
const bodies: { what: string; body: string; status: number; slug: string }[] = [
  ...[
    '0',
    '-1',
    '"1"',
    '1.5',
    '2147483648',
    '1e400',
    '9007199254740993',
    'true',
    '[1]',
    'null',
    '""',
    '{}',
  ].map(quantity => ({
    what: `quantity ${quantity}`,
    body: `{"productId":P,"userId":"u","quantity":${quantity}}`,
    status: 400,
    slug: 'invalid',
  })),
  ...[
    '0',
    '-1',
    '"1"',
    '1.5',
    '1e400',
    '9007199254740993',
    'true',
    '[1]',
    'null',
    '{"id":1}',
    `"' or 1=1--"`,
  ].map(id => ({
    what: `productId ${id}`,
    body: `{"productId":${id},"userId":"u"}`,
    status: 400,
    slug: 'invalid',
  })),
  ...[
    '""',
    '-1',
    '1.5',
    'true',
    'null',
    '{"a":1}',
    '["u"]',
    '"a\\u0000b"',
    '"a\\u000ab"',
    '"\\ud800"',
    `"${'x'.repeat(129)}"`,
  ].map(userId => ({
    what: `userId ${userId.slice(0, 20)}`,
    body: `{"productId":P,"userId":${userId}}`,
    status: 400,
    slug: 'invalid',
  })),
  { what: 'no productId', body: '{"userId":"u"}', status: 400, slug: 'invalid' },
  { what: 'no shopper', body: '{"productId":P}', status: 400, slug: 'invalid' },
  { what: 'an unknown field', body: '{"productId":P,"userId":"u","price":1}', status: 400, slug: 'invalid' },
  {
    what: '__proto__',
    body: '{"productId":P,"userId":"u","__proto__":{"a":1}}',
    status: 400,
    slug: 'invalid',
  },
  {
    what: 'constructor.prototype',
    body: '{"productId":P,"userId":"u","constructor":{"prototype":{}}}',
    status: 400,
    slug: 'invalid',
  },
  { what: 'a truncated body', body: '{"productId":P', status: 400, slug: 'invalid' },
  { what: 'an empty body', body: '', status: 400, slug: 'invalid' },
  { what: 'an array', body: '[]', status: 400, slug: 'invalid' },
  { what: 'null', body: 'null', status: 400, slug: 'invalid' },
  {
    what: '30,000 levels of nesting',
    body: `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
    status: 400,
    slug: 'invalid',
  },
  { what: '2 MB', body: `{"userId":"${'x'.repeat(2_000_000)}"}`, status: 413, slug: 'too-large' },
  {
    what: 'a product that does not exist',
    body: '{"productId":999999,"userId":"u"}',
    status: 404,
    slug: 'product-not-found',
  },
  {
    what: 'more than the limit',
    body: '{"productId":P,"userId":"u","quantity":11}',
    status: 409,
    slug: 'limit-reached',
  },
  {
    what: 'the largest quantity',
    body: '{"productId":P,"userId":"u","quantity":2147483647}',
    status: 409,
    slug: 'limit-reached',
  },
];

describe('bad input to POST /api/purchase', () => {
  it(`gets its documented answer and moves nothing (${bodies.length} bodies)`, async () => {
    const { api, productId, saleId, pool } = await startWithSale();

    for (const { what, body, status, slug } of bodies) {
      const answer = await api.request('POST', '/api/purchase', {
        body: body.replace('P', String(productId)),
        headers: { ...serviceHeaders, 'content-type': 'application/json' },
      });
      expect({ what, status: answer.status, slug: answer.slug }).toEqual({ what, status, slug });
      expectProblem(answer);
    }
    expect((await stockOf(pool, saleId)).available).toBe(100);
  });

  it('is 415 for anything that is not JSON', async () => {
    const { api } = await startWithSale();
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
    ]) {
      const answer = await api.request('POST', '/api/purchase', {
        body: 'a=b',
        headers: { ...serviceHeaders, 'content-type': type },
      });
      expect({ type, status: answer.status, slug: answer.slug }).toEqual({
        type,
        status: 415,
        slug: 'unsupported-media-type',
      });
    }
  });

  it.each([
    ['of 256 characters', 'x'.repeat(256)],
    ['with a space', 'a b'],
    ['that is empty', ''],
  ])('refuses an Idempotency-Key %s', async (_what, key) => {
    const { api, productId } = await startWithSale();
    expect(await api.purchase({ productId, userId: 'u', key })).toMatchObject({
      status: 400,
      slug: 'invalid',
    });
  });

  it('takes an Idempotency-Key of 255 characters', async () => {
    const { api, productId } = await startWithSale();
    expect((await api.purchase({ productId, userId: 'u', key: 'x'.repeat(255) })).status).toBe(200);
  });

  it('refuses the same key for another body, and keeps the keys of two shoppers apart', async () => {
    const { api, productId } = await startWithSale();
    const first = await api.purchase({ productId, userId: 'u', key: 'k' });

    expect(await api.purchase({ productId, userId: 'u', key: 'k', quantity: 2 })).toMatchObject({
      status: 422,
      slug: 'idempotency-key-reused',
    });
    const other = await api.purchase({ productId, userId: 'v', key: 'k' });
    expect(other.status).toBe(200);
    expect(other.body.order?.id).not.toBe(first.body.order?.id);
  });
});

describe('who may do what', () => {
  it('is 401 without a token, with a wrong one and with one that is cut short', async () => {
    const { api, productId } = await startWithSale();
    const tokens = [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: `Bearer ${apiKey.slice(0, -1)}` },
      { authorization: apiKey },
    ];
    for (const headers of tokens) {
      const answer = await api.request('POST', '/api/purchase', {
        body: { productId, userId: 'u' },
        headers,
      });
      expect(answer).toMatchObject({ status: 401, slug: 'not-authenticated' });
    }
  });

  it('is 403 for the API key and for a shopper on operator routes, and 401 for strangers', async () => {
    const { api } = await startWithSale({ IDENTITY: 'demo' });
    const session = await api.request('POST', '/api/session', { headers: {} });
    const asShopper = { authorization: `Bearer ${String(session.body.token)}` };

    for (const [headers, status] of [
      [serviceHeaders, 403],
      [asShopper, 403],
      [{}, 401],
      [{ authorization: 'Bearer x' }, 401],
    ] as const) {
      expect((await api.request('GET', '/api/admin/audit', { headers })).status).toBe(status);
      expect((await api.request('POST', '/api/admin/products', { headers, body: {} })).status).toBe(status);
    }
  });

  it('lets a demo shopper buy in their own name alone, by cookie or by token', async () => {
    const { api, productId } = await startWithSale({ IDENTITY: 'demo' });
    const session = await api.request('POST', '/api/session', { headers: {} });
    const token = String(session.body.token);
    const byToken = { authorization: `Bearer ${token}` };
    const byCookie = { cookie: `other=1; doorbuster_session=${token}`, origin: api.url };
    const buy = (headers: Record<string, string>, body = {}) =>
      api.request('POST', '/api/purchase', { body: { productId, ...body }, headers });

    expect((await buy(byToken)).status).toBe(200);
    expect((await buy(byCookie)).status).toBe(200);
    expect(await buy(byToken, { userId: 'somebody' })).toMatchObject({ status: 400, slug: 'invalid' });
    const forged = token.replace(/\.(.)/, (_, first) => `.${first === 'A' ? 'B' : 'A'}`);
    expect((await buy({ authorization: `Bearer ${forged}` })).status).toBe(401);
    expect((await buy({ authorization: `Bearer 7${token}` })).status).toBe(401);
  });

  it('gives no session in trusted mode, and takes none', async () => {
    const { api } = await startWithSale();
    expect((await api.request('POST', '/api/session', { headers: {} })).status).toBe(404);
  });

  it('shows an order to its shopper and to nobody else', async () => {
    const { api, productId } = await startWithSale();
    const { order } = (await api.purchase({ productId, userId: 'mine' })).body;
    const read = (userId: string) =>
      api.request('GET', `/api/orders/${order?.id}`, { headers: { ...serviceHeaders, 'x-user-id': userId } });

    expect((await read('mine')).body).toMatchObject({ id: order?.id, status: 'CONFIRMED' });
    expect(await read('other')).toMatchObject({ status: 404, slug: 'order-not-found' });
  });
});

describe('paths and methods', () => {
  it.each([
    ['GET', '/api/products/0', 400, 'invalid'],
    ['GET', '/api/products/1e3', 400, 'invalid'],
    ['GET', "/api/products/'%20or%201=1--", 400, 'invalid'],
    ['GET', '/api/products/%zz', 400, 'invalid'],
    ['GET', '/api/products/99999999999999999999', 400, 'invalid'],
    ['GET', '/api/products/999999', 404, 'product-not-found'],
    ['GET', '/api/products?limit=0', 400, 'invalid'],
    ['GET', '/api/products?limit=1&limit=2', 400, 'invalid'],
    ['GET', '/api/products?sort=id;drop', 400, 'invalid'],
    ['GET', '/api/stock/999999', 404, 'product-not-found'],
    ['GET', '/api/orders/not-a-uuid', 400, 'invalid'],
    ['GET', '/api/nothing', 404, 'not-found'],
    ['GET', '/api/%2e%2e%2fetc', 404, 'not-found'],
    ['DELETE', '/api/products', 405, 'method-not-allowed'],
    ['GET', '/api/purchase', 405, 'method-not-allowed'],
    ['PUT', '/api/stock/1', 405, 'method-not-allowed'],
  ])('%s %s is %i', async (method, path, status, slug) => {
    const { api } = await startWithSale();
    const headers = { ...serviceHeaders, 'x-user-id': 'u' };
    const answer = await api.request(method, path, { headers });
    expect(answer).toMatchObject({ status, slug });
    expectProblem(answer);
    if (status === 405) expect(answer.headers.get('allow')).toMatch(/GET|POST/);
  });
});

describe('bad input to operator calls', () => {
  const product = { name: 'x', priceMinor: 1, currency: 'EUR' };
  const sale = {
    productId: 1,
    startsAt: '2026-01-01T00:00:00Z',
    endsAt: '2027-01-01T00:00:00Z',
    allocation: 1,
    perUserLimit: 1,
  };
  it.each([
    ['products', { ...product, name: '' }],
    ['products', { ...product, name: 'a\0b' }],
    ['products', { ...product, name: 'x'.repeat(201) }],
    ['products', { ...product, priceMinor: -1 }],
    ['products', { ...product, priceMinor: 1.5 }],
    ['products', { ...product, priceMinor: 1_000_000_001 }],
    ['products', { ...product, currency: 'euro' }],
    ['products', { ...product, imageUrl: 'javascript:alert(1)' }],
    ['products', { ...product, id: 5 }],
    ['sales', { ...sale, endsAt: sale.startsAt }],
    ['sales', { ...sale, startsAt: 'tomorrow' }],
    ['sales', { ...sale, startsAt: 0 }],
    ['sales', { ...sale, allocation: 0 }],
    ['sales', { ...sale, allocation: 2_000_000_001 }],
    ['sales', { ...sale, perUserLimit: 0 }],
    ['sales', { ...sale, holdTtlSeconds: 0 }],
    ['sales', { ...sale, payment: 'later' }],
    ['sales', { ...sale, prizeOdds: 0 }],
    ['sales', { ...sale, prizeOdds: 1_000_001 }],
    ['sales', { ...sale, recurrence: { cron: '0 * * * *' } }],
    ['sales', { ...sale, recurrence: { cron: '0 * * * *', timeZone: 'UTC' } }],
    ['sales', { ...sale, recurrence: { cron: '0 0 0 1 1 *', timeZone: 'UTC' } }],
    ['sales', { ...sale, recurrence: { cron: '0 0 1 1 *', timeZone: 'Mars/Phobos' } }],
  ])('POST /api/admin/%s refuses %j', async (what, body) => {
    const { api } = await startWithSale();
    const answer = await api.asOperator('POST', `/api/admin/${what}`, body);
    expect(answer).toMatchObject({ status: 400, slug: 'invalid' });
  });

  it('knows no sale of a product that does not exist, and no change of a sale that does not', async () => {
    const { api } = await startWithSale();
    expect((await api.asOperator('POST', '/api/admin/sales', { ...sale, productId: 999 })).slug).toBe(
      'product-not-found',
    );
    expect((await api.asOperator('POST', '/api/admin/sales/999/pause')).slug).toBe('sale-not-found');
  });
});

async function startWithSale(env: Record<string, string> = {}) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool);
  const api: TestApi = await startTestApi(url, env);
  return { api, productId, saleId, pool };
}

function expectProblem({ headers, body, status }: Answer): void {
  expect(headers.get('content-type')).toContain('application/problem+json');
  expect(body).toMatchObject({
    status,
    success: false,
    title: expect.any(String),
    message: expect.any(String),
  });
  expect(JSON.stringify(body)).not.toMatch(/node_modules|\bat .+:\d+:\d+/);
}
