import { describe, expect, it } from 'vitest';
import { openFaultProxy } from '../../drill/servers/fault-proxy.js';
import { startTestApi } from '../support/api.js';
import { until } from '../support/condition.js';
import { createTestDatabase } from '../support/database.js';
import { startRoleProcess } from '../support/engine.js';
import { createTestSale } from '../support/sale.js';

// No server listens there.
const nowhere = 'redis://127.0.0.1:1';

// The literal shapes of the flash-sale module for the web: docs/promises/web-module.md.
describe('the web module', () => {
  it('sells and reports the stock in its published shapes', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { allocation: 5 });
    const api = await startTestApi(url);

    const bought = await api.purchase({ productId, userId: 'a', quantity: 2 });

    expect(bought.status).toBe(200);
    expect(bought.headers.get('x-response-time')).toMatch(/ms$/);
    expect(bought.body).toMatchObject({
      success: true,
      message: expect.any(String),
      order: {
        id: expect.any(String),
        productId,
        productName: 'Test product',
        quantity: 2,
        totalPrice: 39.98,
        remainingStock: 3,
        createdAt: expect.any(String),
        status: 'CONFIRMED',
      },
    });
    const refused = await api.purchase({ productId, userId: 'b', quantity: 4 });
    expect(refused).toMatchObject({ status: 409, body: { success: false, message: expect.any(String) } });
    const stock = await api.request('GET', `/api/stock/${productId}`);
    expect(stock).toMatchObject({ status: 200, body: { success: true, stock: 3 } });
  });

  it('reports revenue, units, top products and revenue by day, with the time of the query', async () => {
    const { url, pool } = await createTestDatabase();
    const one = await createTestSale(pool, { priceMinor: 1000 });
    const two = await createTestSale(pool, { priceMinor: 250 });
    const api = await startTestApi(url);
    await api.purchase({ productId: one.productId, userId: 'a' });
    await api.purchase({ productId: two.productId, userId: 'a', quantity: 3 });

    const { body } = await api.asOperator('GET', '/api/admin/stats');

    expect({ success: body.success, data: body.data, meta: body.meta }).toEqual({
      success: true,
      data: {
        currency: 'EUR',
        totalRevenue: 17.5,
        totalUnitsSold: 4,
        topProducts: [
          { id: two.productId, name: 'Test product', totalSold: 3 },
          { id: one.productId, name: 'Test product', totalSold: 1 },
        ],
        revenueByDay: [{ date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), revenue: 17.5 }],
      },
      meta: { queryTimeMs: expect.any(Number) },
    });
  });

  it('reports that it is healthy, ready and alive, and the state of Redis', async () => {
    const { url } = await createTestDatabase();
    const [alone, withRedis] = [await startTestApi(url), await startTestApi(url, { REDIS_URL: nowhere })];
    const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

    const healthy = await alone.request('GET', '/api/health');
    expect(healthy.status).toBe(200);
    expect(healthy.body).toEqual({ status: 'healthy', timestamp, services: { database: 'healthy' } });
    const without = await withRedis.request('GET', '/api/health');
    expect(without.status).toBe(200);
    expect(without.body).toEqual({
      status: 'healthy',
      timestamp,
      services: { database: 'healthy', redis: 'unhealthy' },
    });
    expect(await alone.request('GET', '/api/ready')).toMatchObject({
      status: 200,
      body: { status: 'ready' },
    });
  });

  it('is unhealthy with 503 without its database, and still alive', async () => {
    const { url } = await createTestDatabase();
    const proxy = await openFaultProxy(url);
    const engine = await startRoleProcess('api', proxy.url, { DB_TIMEOUT: '1000' });
    proxy.close();

    const ask = async (path: string) => {
      const answer = await fetch(`${engine.url}${path}`);
      return { status: answer.status, body: await answer.json() };
    };
    await until('it is noticed', async () => (await ask('/api/health')).status === 503);
    expect(await ask('/api/health')).toEqual({
      status: 503,
      body: {
        status: 'unhealthy',
        timestamp: expect.any(String),
        services: { database: 'unhealthy' },
      },
    });
    expect(await ask('/api/live')).toMatchObject({ status: 200, body: { status: 'alive' } });
  });
});
