import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/platform/config/config.js';
import { startTestApi } from '../support/api.js';
import { createTestDatabase } from '../support/database.js';
import { scrape, seriesOf } from '../support/metrics.js';
import { createTestSale } from '../support/sale.js';

// The literal shapes of the order service: docs/promises/order-service.md.
describe('the order service under load', () => {
  it('accepts an order with 202, its id and QUEUED, and reports the stock and the reserved units', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { allocation: 50 });
    const api = await startTestApi(url);

    const taken = await api.request('POST', '/api/orders', { body: { productId, userId: 'a' } });
    const stock = await api.request('GET', `/api/stock/${productId}`);

    expect(taken.status).toBe(202);
    expect(taken.body).toMatchObject({
      order_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      status: 'QUEUED',
      message: expect.any(String),
    });
    expect(stock).toMatchObject({ status: 200, body: { success: true, stock: 50, reserved: 0 } });
  });

  it('reports metrics with the published names', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const api = await startTestApi(url, { ENABLE_METRICS: 'true', METRICS_PORT: '0' });
    await api.purchase({ productId, userId: 'a' });

    const text = await scrape(api.metricsUrl);

    expect(seriesOf(text, 'http_requests_total').join()).toContain('status_code="200"');
    expect(seriesOf(text, 'pg_pool_waiting_connections').length).toBeGreaterThan(0);
    expect(seriesOf(text, 'orders_created_total').join()).toContain('{status="CONFIRMED"} 1');
    expect(seriesOf(text, 'inventory_lock_duration_seconds_count')).toHaveLength(1);
  });

  it('has the published bounds as defaults', () => {
    expect(readConfig({})).toMatchObject({
      MAX_IN_FLIGHT: 500,
      RATE_LIMIT_IP_MAX: 100,
      RATE_LIMIT_IP_BURST: 50,
      DB_POOL_MAX: 25,
      DB_POOL_MIN: 5,
      PAYMENT_TIMEOUT_MS: 2000,
      PAYMENT_BREAKER_FAILURES: 5,
    });
  });
});
