import { readFile } from 'node:fs/promises';
import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startApp } from '../src/app/app.js';
import { salesShownMax } from '../src/app/instruments.js';
import type { Role } from '../src/app/roles.js';
import { readLiveStock } from '../src/catalog/live-stock.js';
import { operatorHeaders, startTestApi } from './support/api.js';
import { until } from './support/condition.js';
import { secrets, testConfig } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { readEvents } from './support/events.js';
import { scrape, seriesOf, seriesValue } from './support/metrics.js';
import { checkMetrics } from './support/promtool.js';
import { createTestSale } from './support/sale.js';

const shown = { ENABLE_METRICS: 'true', METRICS_PORT: '0' };

async function startShown(databaseUrl: string, roles: readonly (Role | 'api')[]) {
  const logger = pino({ level: 'silent' });
  const app = await startApp({ roles, config: testConfig(shown), secrets, databaseUrl, logger });
  onTestFinished(() => app.drain());
  return app;
}

describe('metrics', () => {
  it("report what has happened, pass Prometheus's own check, and are all in the documented table", async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool, { allocation: 3 });
    const api = await startTestApi(url, shown, { roles: ['api', 'worker'] });
    for (const userId of ['a', 'b']) await api.purchase({ productId, userId });
    await api.request('POST', '/api/orders', { body: { productId, userId: 'c' } });
    await until(
      'the queued order is decided',
      async () =>
        seriesValue(
          await scrape(api.metricsUrl),
          'doorbuster_decisions_total{work="decide",outcome="confirmed"}',
        ) === 3,
    );
    for (const userId of ['d', 'e']) await api.purchase({ productId, userId });
    await api.request('POST', '/api/users/batch', { body: { count: 7 } });
    // No audit has run yet, and there is no Redis: the metrics are absent, not 0.
    for (const name of ['doorbuster_audit_last_run_timestamp_seconds', 'doorbuster_redis_up']) {
      expect(seriesOf(await scrape(api.metricsUrl), name)).toEqual([]);
    }
    await api.asOperator('GET', '/api/admin/audit');

    const text = await scrape(api.metricsUrl);
    const values = {
      'http_requests_total{route="/api/purchase",method="POST",status_code="200"}': 2,
      'http_requests_total{route="/api/purchase",method="POST",status_code="409"}': 2,
      'http_request_duration_seconds_count{route="/api/purchase",method="POST"}': 4,
      'http_request_duration_seconds_bucket{route="/api/purchase",method="POST",le="+Inf"}': 4,
      'orders_created_total{status="CONFIRMED"}': 2,
      'orders_created_total{status="QUEUED"}': 1,
      'doorbuster_refused_attempts_total{outcome="sold-out"}': 2,
      'doorbuster_ids_allocated_total{kind="user"}': 7,
      'doorbuster_audit_violations{invariant="1"}': 0,
      doorbuster_attempts_dropped_total: 0,
      'doorbuster_breaker_state{breaker="payments",state="closed"}': 1,
      'doorbuster_reading_ok{reading="queue"}': 1,
      'pg_pool_waiting_connections{pool="decisions"}': 0,
      [`doorbuster_stock_units{sale_id="${saleId}",product_id="${productId}",state="allocation"}`]: 3,
    };
    expect(
      Object.fromEntries(Object.keys(values).map(series => [series, seriesValue(text, series)])),
    ).toEqual(values);
    expect(seriesValue(text, 'inventory_lock_duration_seconds_count')).toBeGreaterThan(0);
    expect(await checkMetrics(text)).toBe('');
    expect(namesIn(text)).toEqual(await namesInDocuments());
  });

  it('of stock name a limited number of sales, and count the rest', async () => {
    const { pool } = await createTestDatabase();
    for (let sale = 0; sale < 3; sale++) await createTestSale(pool);
    const { sales, saleCount } = await readLiveStock(pool, 2);
    expect({ shown: sales.length, saleCount }).toEqual({ shown: 2, saleCount: 3 });
    expect(salesShownMax).toBeLessThanOrEqual(100);
  });

  it('gain no series from paths and methods that do not exist', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url, shown);
    const ask = (path: string, method: string) => fetch(`${api.url}${path}`, { method });
    for (let i = 0; i < 20; i++) await ask(`/nothing/${i}`, i % 2 === 0 ? 'GET' : 'PROPFIND');
    await ask('/api/orders/not-an-id', 'GET');
    await ask('/%zz', 'GET');
    const reader = await readEvents(`${api.url}/api/admin/live`, operatorHeaders);
    reader.close();
    const stream = 'http_requests_total{route="/api/admin/live",method="GET",status_code="200"}';
    await until('the stream counts', async () => seriesValue(await scrape(api.metricsUrl), stream) === 1);

    const text = await scrape(api.metricsUrl);
    expect(seriesOf(text, 'http_requests_total').sort()).toEqual([
      'http_requests_total{route="(unknown)",method="GET",status_code="400"} 1',
      'http_requests_total{route="(unknown)",method="GET",status_code="404"} 10',
      'http_requests_total{route="(unknown)",method="other",status_code="404"} 10',
      `${stream} 1`,
      'http_requests_total{route="/api/orders/:id",method="GET",status_code="400"} 1',
    ]);
  });

  it("are served only on request, and never on the shoppers' port", async () => {
    const { url } = await createTestDatabase();
    expect((await startTestApi(url)).metricsUrl).toBeUndefined();
    const api = await startTestApi(url, shown);
    expect((await fetch(`${api.url}/metrics`)).status).toBe(404);
    expect(new URL(api.metricsUrl ?? '').hostname).toBe('127.0.0.1');
    expect((await fetch(api.metricsUrl ?? '', { method: 'POST' })).status).toBe(405);
    expect((await fetch(new URL('/', api.metricsUrl))).status).toBe(404);
  });

  it('of a worker are its own: batches and queue, and nothing about HTTP', async () => {
    const { url } = await createTestDatabase();
    const { metricsUrl } = await startShown(url, ['worker']);
    const text = await scrape(metricsUrl);
    expect(seriesValue(text, 'doorbuster_queue_messages{state="ready"}')).toBe(0);
    expect(text).not.toContain('http_request');
    expect(await checkMetrics(text)).toBe('');
  });
});

/** Names of the engine's own metrics: those of Node come with prom-client. */
function namesIn(text: string): string[] {
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
  return names.filter(name => !/^(nodejs|process)_/.test(name)).sort();
}

async function namesInDocuments(): Promise<string[]> {
  const text = await readFile(new URL('../../docs/monitoring.md', import.meta.url), 'utf8');
  const [, section = ''] = text.split('\n## Metrics\n');
  const [table = ''] = section.split('\n## ');
  return [...table.matchAll(/^\| `([a-z_]+)/gm)].map(([, name = '']) => name).sort();
}
