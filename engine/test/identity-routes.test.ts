import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Answer, serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';
import { createShopper, heldBy } from './support/shopper.js';

const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ tags: z.array(z.string()) }))),
});

type Route = { method: string; path: string; tag: string; name: string };
type Things = { productId: number; orderId: string; heldOrderId: string; code: string };
type Try = { path: (things: Things) => string; body?: (things: Things) => object };
type Headers = Record<string, string>;
type Gets = 'hidden' | 'own' | 'service' | 'public' | 'buys';

/**
 * What a shopper gets from each route of the shop when they use another shopper's data: `hidden` (404), `own` (their
 * own, and they have none), `service` (403: for the shop's own server only), or a public resource. `POST /api/session`
 * gives an unknown caller an identity.
 */
const shopRoutes: Record<string, { gets: Gets; tries: Try[] }> = {
  'POST /api/session': { gets: 'public', tries: [] },
  'GET /api/products': { gets: 'public', tries: [] },
  'GET /api/products/{id}': { gets: 'public', tries: [] },
  'GET /api/stock/{productId}': { gets: 'public', tries: [] },
  'GET /api/stock/{productId}/events': { gets: 'public', tries: [] },
  'GET /api/precheck': {
    gets: 'buys',
    tries: [{ path: ({ productId }) => `/api/precheck?productId=${productId}` }],
  },
  // The sale here requires neither; where one does, both are bound to their shopper (proofs.test.ts).
  'GET /api/challenge': {
    gets: 'hidden',
    tries: [{ path: ({ productId }) => `/api/challenge?productId=${productId}` }],
  },
  'GET /api/purchase-token': {
    gets: 'hidden',
    tries: [{ path: ({ productId }) => `/api/purchase-token?productId=${productId}` }],
  },
  'POST /api/purchase': {
    gets: 'hidden',
    tries: [{ path: () => '/api/purchase', body: ({ code }) => ({ code }) }],
  },
  'POST /api/checkout': {
    gets: 'buys',
    tries: [{ path: () => '/api/checkout', body: ({ productId }) => ({ productId }) }],
  },
  'POST /api/orders': {
    gets: 'buys',
    tries: [{ path: () => '/api/orders', body: ({ productId }) => ({ productId }) }],
  },
  'GET /api/orders': { gets: 'own', tries: [{ path: () => '/api/orders' }] },
  'GET /api/attempts': { gets: 'own', tries: [{ path: () => '/api/attempts' }] },
  'GET /api/orders/{id}': {
    gets: 'hidden',
    tries: [
      { path: ({ orderId }) => `/api/orders/${orderId}` },
      { path: ({ heldOrderId }) => `/api/orders/${heldOrderId.toUpperCase()}` },
    ],
  },
  'DELETE /api/orders/{id}': {
    gets: 'hidden',
    tries: [
      { path: ({ orderId }) => `/api/orders/${orderId}` },
      { path: ({ heldOrderId }) => `/api/orders/${heldOrderId}` },
    ],
  },
  'GET /api/orders/{id}/events': {
    gets: 'hidden',
    tries: [{ path: ({ heldOrderId }) => `/api/orders/${heldOrderId}/events` }],
  },
  'POST /api/users': { gets: 'service', tries: [{ path: () => '/api/users' }] },
  'POST /api/users/batch': {
    gets: 'service',
    tries: [{ path: () => '/api/users/batch', body: () => ({ count: 1 }) }],
  },
};

/** Routes under /api/admin for callers who are not signed in yet. */
const signIn = 'POST /api/admin/session';

describe('every route of /openapi.json', () => {
  it('is for shoppers, operators or operations, and this test knows all that are for shoppers', async () => {
    const { routes } = await openShop();
    for (const { name, tag } of routes) {
      expect({ name, tag, isKnown: tag !== 'shop' || name in shopRoutes }).toMatchObject({
        tag: expect.stringMatching(/^(shop|operator|operations)$/),
        isKnown: true,
      });
      expect({ name, tag: tag === 'operator' }).toEqual({ name, tag: name.includes(' /api/admin/') });
    }
    expect(routes.length).toBeGreaterThan(25);
  });

  it('under /api/admin is 403 for a shopper and the shop’s server, and 401 for all other callers', async () => {
    const { api, eve, routes } = await openShop();
    const operator = routes.filter(({ tag, name }) => tag === 'operator' && name !== signIn);
    expect(operator.length).toBeGreaterThan(15);
    for (const { method, path, name } of operator) {
      const url = path.replace(/\{\w+\}/g, '1');
      const bodyOf = method === 'GET' || method === 'DELETE' ? {} : { body: {} };
      const statusFor = async (headers: Headers) =>
        (await api.request(method, url, { headers, ...bodyOf })).status;
      expect({
        name,
        byToken: await statusFor({ authorization: `Bearer ${eve}` }),
        byCookie: await statusFor({ cookie: `doorbuster_session=${eve}`, origin: api.url }),
        byApiKey: await statusFor(serviceHeaders),
        byNobody: await statusFor({}),
        byForgedCookie: await statusFor({ cookie: 'doorbuster_operator=1.9999999999999.x' }),
      }).toEqual({ name, byToken: 403, byCookie: 403, byApiKey: 403, byNobody: 401, byForgedCookie: 401 });
    }
  });

  it('of the shop hides what belongs to another shopper, and is 401 without credentials', async () => {
    const { api, eve, ann, routes, things } = await openShop();
    const before = await stateOf(api, ann, things);
    for (const { method, name } of routes.filter(({ tag }) => tag === 'shop')) {
      const { gets, tries } = shopRoutes[name] ?? { gets: 'hidden', tries: [] };
      for (const { path, body } of tries) {
        const send = (headers: Headers) =>
          api.request(method, path(things), { headers, ...(body ? { body: body(things) } : {}) });
        expect({ name, status: (await send({})).status }).toEqual({ name, status: 401 });
        const named = { authorization: `Bearer ${eve}`, 'x-user-id': ann };
        if (gets !== 'service')
          expect({ name, status: (await send(named)).status }).toEqual({ name, status: 400 });
        for (const headers of [
          { authorization: `Bearer ${eve}` },
          { ...serviceHeaders, 'x-user-id': 'eve' },
        ]) {
          if (gets !== 'service' || headers.authorization.endsWith(eve))
            expectOwn(name, gets, await send(headers), things);
        }
      }
    }
    expect(await stateOf(api, ann, things)).toEqual(before);
  });
});

function expectOwn(name: string, gets: Gets, { status, body }: Answer, things: Things): void {
  const statuses: Record<typeof gets, number[]> = {
    hidden: [404],
    service: [403],
    own: [200],
    buys: [200, 201, 202],
    public: [200],
  };
  expect(statuses[gets], `${name} answers ${status}`).toContain(status);
  const text = JSON.stringify(body);
  for (const hidden of [things.orderId, things.heldOrderId, things.code])
    expect(text, name).not.toContain(hidden);
}

/** What the owner sees of it: the same before and after others tried. */
async function stateOf(api: TestApi, ann: string, { orderId, heldOrderId }: Things) {
  const read = async (id: string) =>
    (await api.request('GET', `/api/orders/${id}`, { headers: { ...serviceHeaders, 'x-user-id': ann } })).body
      .status;
  return { bought: await read(orderId), held: await read(heldOrderId) };
}

/** A shop in which Ann has bought one thing and holds another, and Eve has a session. */
async function openShop() {
  const { url, pool } = await createTestDatabase();
  const { productId } = await createTestSale(pool, { perUserLimit: 1000, allocation: 100_000 });
  const api = await startTestApi(url, { IDENTITY: 'demo', FAULTS_ENABLED: 'true' });
  const ann = 'ann';
  const bought = await createShopper(api, ann).purchase(productId);
  const held = heldBy(await createShopper(api, ann).checkout(productId));
  const things = {
    productId,
    orderId: bought.body.order?.id ?? '',
    heldOrderId: held.orderId,
    code: held.code,
  };
  const session = await api.request('POST', '/api/session', { headers: {} });
  const { paths } = documentSchema.parse((await api.request('GET', '/openapi.json')).body);
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([name, { tags }]): Route => {
      const method = name.toUpperCase();
      return { method, path, tag: tags[0] ?? '', name: `${method} ${path}` };
    }),
  );
  return { api, ann, eve: String(session.body.token), routes, things };
}
