import { describe, expect, it } from 'vitest';
import { type Answer, serviceHeaders, startTestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale, stockOf } from './support/sale.js';
import { createShopper, heldBy } from './support/shopper.js';

type Refused = [body: string, slug: string];
const invalid = (bodies: readonly string[]): Refused[] => bodies.map(body => [body, 'invalid']);

// `P` stands for the id of a product that is on sale.
const noQuantities = ['0', '-1', '"1"', '1.5', '2147483648', '1e400', 'true', '[1]', 'null', '""', '{}'];
const noProducts = ['0', '"1"', '1.5', '9007199254740993', 'null', '[]', `"' or 1=1--"`];
const noShoppers = ['""', '-1', 'null', '["u"]', '"a\\u0000b"', '"\\ud800"', `"${'x'.repeat(129)}"`];
const noMethods = ['""', '1', 'null', '"pm card"', '"a\\u0000b"', '"💳"', '["card"]', `"${'x'.repeat(256)}"`];
const purchases: Refused[] = [
  ...invalid(noQuantities.map(quantity => `{"productId":P,"userId":"u","quantity":${quantity}}`)),
  ...invalid(noProducts.map(product => `{"productId":${product},"userId":"u"}`)),
  ...invalid(noShoppers.map(shopper => `{"productId":P,"userId":${shopper}}`)),
  ...invalid(noMethods.map(method => `{"productId":P,"userId":"u","paymentMethod":${method}}`)),
  ...invalid(['{"userId":"u"}', '{"productId":P}', '', '[]', 'null', '{"productId":P', '"P"']),
  ...invalid(['{"productId":P,"userId":"u","price":1}', '{"productId":P,"userId":"u","__proto__":{"a":1}}']),
  ['{"productId":999999,"userId":"u"}', 'product-not-found'],
  ['{"productId":P,"userId":"u","quantity":11}', 'limit-reached'],
  ['{"productId":P,"userId":"u","quantity":2147483647}', 'limit-reached'],
  [`{"userId":"${'x'.repeat(70_000)}"}`, 'too-large'],
];

const wellFormed = `"${'A'.repeat(43)}"`;
const nobodysCodes = [
  wellFormed,
  ...['a', ' ', '0', '-1', '../../etc/passwd', `' or 1=1--`, '%00', 'null', '{}', '💥', 'A'.repeat(42)].map(
    code => JSON.stringify(code),
  ),
  ...['"a\\u0000b"', '"\\ud800"', '"\\n"', `"${'='.repeat(100)}"`],
];
const redemptions: Refused[] = [
  ...nobodysCodes.map((code): Refused => [`{"code":${code},"userId":"u"}`, 'code-not-found']),
  ...invalid(
    ['""', '1', 'null', 'true', '[]', '{}', `["${'A'.repeat(43)}"]`, `"${'A'.repeat(101)}"`].map(
      code => `{"code":${code},"userId":"u"}`,
    ),
  ),
  ...invalid(noMethods.map(method => `{"code":${wellFormed},"userId":"u","paymentMethod":${method}}`)),
  ...invalid([
    `{"code":${wellFormed},"productId":P,"userId":"u"}`,
    `{"code":${wellFormed},"quantity":1,"userId":"u"}`,
    `{"code":${wellFormed},"userId":"u","forceFail":true}`,
    `{"code":${wellFormed}}`,
  ]),
];

const paths: [method: string, path: string, slug: string][] = [
  ['DELETE', '/api/orders/not-a-uuid', 'invalid'],
  ['DELETE', '/api/orders/00000000-0000-0000-0000-00000000000g', 'invalid'],
  ['DELETE', `/api/orders/${'0'.repeat(36)}`, 'invalid'],
  ['DELETE', '/api/orders/%00', 'invalid'],
  ['DELETE', "/api/orders/'%20or%201=1--", 'invalid'],
  ['DELETE', '/api/orders/0189f0f0-0000-7000-8000-000000000000', 'order-not-found'],
  ['GET', '/api/orders/0189f0f0-0000-7000-8000-000000000000', 'order-not-found'],
  ['PUT', '/api/orders/0189f0f0-0000-7000-8000-000000000000', 'method-not-allowed'],
  ['GET', '/api/checkout', 'method-not-allowed'],
  ['DELETE', '/api/orders', 'method-not-allowed'],
  ['GET', '/api/precheck', 'invalid'],
  ['GET', '/api/precheck?productId=', 'invalid'],
  ['GET', '/api/precheck?productId=0', 'invalid'],
  ['GET', '/api/precheck?productId=1e3', 'invalid'],
  ['GET', '/api/precheck?productId=1&productId=2', 'invalid'],
  ['GET', '/api/precheck?productId=1&quantity=2', 'invalid'],
  ['GET', "/api/precheck?productId='%20or%201=1--", 'invalid'],
  ['GET', '/api/precheck?productId=999999', 'product-not-found'],
  ['POST', '/api/precheck', 'method-not-allowed'],
];

describe('bad input', () => {
  it.each([
    // A checkout takes no payment method, and neither a code nor an order to fail.
    ['/api/checkout', [...purchases, ...invalid(['{"productId":P,"userId":"u","paymentMethod":"card"}'])]],
    [
      '/api/checkout',
      invalid(['{"productId":P,"userId":"u","code":"x"}', '{"productId":P,"userId":"u","forceFail":true}']),
    ],
    ['/api/orders', [...purchases, ...invalid(['{"productId":P,"userId":"u","code":"x"}'])]],
    [
      '/api/orders',
      invalid(['1', '"true"', 'null'].map(fail => `{"productId":P,"userId":"u","forceFail":${fail}}`)),
    ],
    ['/api/purchase', redemptions],
    ['/api/purchase', invalid(['{"productId":P,"userId":"u","forceFail":true}', '{"userId":"u"}'])],
  ] as const)('to POST %s gets its documented answer and moves nothing', async (path, bodies) => {
    const { api, pool, productId, saleId } = await startShop();
    const headers = { ...serviceHeaders, 'content-type': 'application/json' };

    for (const [body, slug] of bodies) {
      const answer = await api.request('POST', path, { body: body.replace('P', String(productId)), headers });
      expect({ body, slug: answer.slug }).toEqual({ body, slug });
      expectProblem(answer);
    }
    expect(await stockOf(pool, saleId)).toEqual({ allocation: 100, available: 100, reserved: 0, sold: 0 });
    expect((await pool.query('select from orders')).rowCount).toBe(0);
    await expectCleanAudit(pool);
  });

  it(`in paths and queries gets its documented answer (${paths.length} of them)`, async () => {
    const { api } = await startShop();
    const headers = { ...serviceHeaders, 'x-user-id': 'u' };
    for (const [method, path, slug] of paths) {
      const answer = await api.request(method, path, { headers });
      expect({ method, path, slug: answer.slug }).toEqual({ method, path, slug });
      expectProblem(answer);
    }
  });

  it('is 401 without a token on each of the calls, and names no order', async () => {
    const { api, productId } = await startShop();
    const { orderId, code } = heldBy(await createShopper(api, 'u').checkout(productId));
    for (const [method, path, body] of [
      ['POST', '/api/checkout', { productId, userId: 'u' }],
      ['POST', '/api/orders', { productId, userId: 'u' }],
      ['POST', '/api/purchase', { code, userId: 'u' }],
      ['DELETE', `/api/orders/${orderId}`, undefined],
      ['GET', `/api/precheck?productId=${productId}`, undefined],
    ] as const) {
      const answer = await api.request(method, path, { body, headers: {} });
      expect(answer).toMatchObject({ status: 401, slug: 'not-authenticated' });
      expect(JSON.stringify(answer.body)).not.toContain(orderId);
    }
  });
});

describe('forceFail', () => {
  it('is refused unless faults are enabled, and takes an order into the queue where they are', async () => {
    const refusing = await startShop();
    const forced = (productId: number) => ({ body: { productId, userId: 'u', forceFail: true } });
    const refused = await refusing.api.request('POST', '/api/orders', forced(refusing.productId));
    expect(refused).toMatchObject({ status: 400, slug: 'invalid' });
    expect(refused.body.detail).toContain('FAULTS_ENABLED');
    expect((await refusing.pool.query('select from orders')).rowCount).toBe(0);

    const { api, productId } = await startShop({ FAULTS_ENABLED: 'true' });
    expect((await api.request('POST', '/api/orders', forced(productId))).status).toBe(202);
  });
});

async function startShop(env: Record<string, string> = {}) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool);
  return { api: await startTestApi(url, env), pool, productId, saleId };
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
