import { describe, expect, it } from 'vitest';
import { serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale, type SaleOptions } from './support/sale.js';

describe('the precheck', () => {
  it.each<[string, SaleOptions, string | null, string]>([
    ['admits a shopper to an open sale with units left', {}, null, '200'],
    ['reports that a sale has not begun', { startsInMs: 60_000 }, 'sale-not-open', 'sale-not-open'],
    [
      'reports that a sale is over',
      { startsInMs: -90_000, endsInMs: -60_000 },
      'sale-not-open',
      'sale-not-open',
    ],
  ])('%s, as the purchase does', async (_, sale, reason, outcome) => {
    const { api, productId } = await start(sale);

    expect(await precheckSays(api, productId, reason)).toMatchObject({
      status: 200,
      body: { admitted: reason === null, message: expect.any(String) },
    });
    const bought = await api.purchase({ productId, userId: 'a' });
    expect(bought.slug ?? String(bought.status)).toBe(outcome);
  });

  it('reports sold out once the last unit is gone, as the purchase does', async () => {
    const { api, productId } = await start({ allocation: 1 });
    await precheckSays(api, productId, null);

    await api.purchase({ productId, userId: 'a' });

    expect((await precheckSays(api, productId, 'sold-out')).body.admitted).toBe(false);
    expect((await api.purchase({ productId, userId: 'b' })).slug).toBe('sold-out');
  });

  it('reports that a sale is paused, and admits again when it is resumed', async () => {
    const { api, productId, saleId } = await start();

    await api.asOperator('POST', `/api/admin/sales/${saleId}/pause`);
    expect((await precheckSays(api, productId, 'sale-not-open')).body.admitted).toBe(false);
    await api.asOperator('POST', `/api/admin/sales/${saleId}/resume`);
    expect((await precheckSays(api, productId, null)).body.admitted).toBe(true);
  });

  it('takes nothing: after ten prechecks the one unit is still available', async () => {
    const { api, productId } = await start({ allocation: 1 });
    for (let i = 0; i < 10; i++) await precheck(api, productId);
    expect((await api.purchase({ productId, userId: 'a' })).status).toBe(200);
  });

  it('refuses an unknown product, a caller without an identity, and an unknown parameter', async () => {
    const { api, productId } = await start();
    expect(await precheck(api, 999)).toMatchObject({ status: 404, slug: 'product-not-found' });
    const path = `/api/precheck?productId=${productId}`;
    expect((await api.request('GET', path, { headers: {} })).status).toBe(401);
    expect((await api.request('GET', path, { headers: serviceHeaders })).status).toBe(400);
    for (const query of ['', '?productId=x', `?productId=${productId}&quantity=2`]) {
      const headers = { ...serviceHeaders, 'x-user-id': 'a' };
      expect((await api.request('GET', `/api/precheck${query}`, { headers })).status).toBe(400);
    }
  });
});

async function start(sale: SaleOptions = {}) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool, sale);
  return { api: await startTestApi(url), productId, saleId };
}

function precheck(api: TestApi, productId: number) {
  const headers = { ...serviceHeaders, 'x-user-id': 'a' };
  return api.request('GET', `/api/precheck?productId=${productId}`, { headers });
}

/** Its answer once memory knows the stock and the database's time; until then it admits, as the gate does. */
function precheckSays(api: TestApi, productId: number, reason: string | null) {
  return until(`it reports ${reason}`, async () => {
    const answer = await precheck(api, productId);
    return answer.body.reason === reason ? answer : undefined;
  });
}
