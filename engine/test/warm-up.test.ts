import Fastify from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { warmUp } from '../src/http/server/warm-up.js';
import { startTestApi } from './support/api.js';
import { startCollector } from './support/collector.js';
import { apiKey } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { scrape, seriesOf } from './support/metrics.js';

const counted = 'http_requests_total{route="/api/purchase",method="POST",status_code="404"}';

describe('the warm-up of an API', () => {
  it('leaves no count, no attempt and no trace of its purchases', async () => {
    const { url, pool } = await createTestDatabase();
    const collector = await startCollector();
    const settings = {
      ENABLE_METRICS: 'true',
      METRICS_PORT: '0',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    };
    const startedAtMs = performance.now();
    const api = await startTestApi(url, { ...settings, WARM_UP_MS: '200' });

    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(200);
    expect(seriesOf(await scrape(api.metricsUrl), 'http_requests_total')).toEqual([]);
    // A purchase like those of the warm-up is counted: what is not there was sent before.
    await api.purchase({ productId: Number.MAX_SAFE_INTEGER, userId: 'ann' });
    expect(await scrape(api.metricsUrl)).toContain(`${counted} 1\n`);
    await api.drain();
    expect((await pool.query('select 1 from attempts')).rowCount).toBe(0);
    expect(collector.all('POST /api/purchase')).toHaveLength(1);
  });

  it('sends purchases for as long as it is told, to a server that does not listen, and none for 0', async () => {
    const { app, received } = createShop();
    expect(await warmUp(app, { apiKey, durationMs: 0 })).toBe(0);

    const startedAtMs = performance.now();
    const answered = await warmUp(app, { apiKey, durationMs: 100 });

    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(100);
    expect(answered).toBeGreaterThan(0);
    expect(received()).toBe(answered);
    expect(app.server.listening).toBe(false);
  });

  it('ends with an error if its purchases are not answered', async () => {
    const { app } = createShop(() => new Promise(() => {}));
    await expect(warmUp(app, { apiKey, durationMs: 100 })).rejects.toThrow('not answered');
  });
});

function createShop(answer: () => unknown = () => 'ok') {
  const app = Fastify();
  let received = 0;
  app.post('/api/purchase', async () => {
    received += 1;
    return answer();
  });
  onTestFinished(() => app.close());
  return { app, received: () => received };
}
