import { describe, expect, it } from 'vitest';
import { serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { apiKey } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

describe('the API', () => {
  it('answers 401 without a token, with a wrong one, and with a truncated one', async () => {
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

  it('answers 403 on operator routes to the API key and to a shopper, and 401 to unknown callers', async () => {
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

  it('lets a demo shopper buy only in their own name, by cookie or by token', async () => {
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

  it('gives and accepts no session in trusted mode', async () => {
    const { api } = await startWithSale();
    expect((await api.request('POST', '/api/session', { headers: {} })).status).toBe(404);
  });

  it('shows an order only to its shopper', async () => {
    const { api, productId } = await startWithSale();
    const { order } = (await api.purchase({ productId, userId: 'mine' })).body;
    const read = (userId: string) =>
      api.request('GET', `/api/orders/${order?.id}`, { headers: { ...serviceHeaders, 'x-user-id': userId } });

    expect((await read('mine')).body).toMatchObject({ id: order?.id, status: 'CONFIRMED' });
    expect(await read('other')).toMatchObject({ status: 404, slug: 'order-not-found' });
  });
});

async function startWithSale(env: Record<string, string> = {}) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool);
  const api: TestApi = await startTestApi(url, env);
  return { api, productId, saleId, pool };
}
