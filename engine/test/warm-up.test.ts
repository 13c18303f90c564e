import Fastify from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createWarmUp } from '../src/http/server/warm-up.js';
import { startTestApi } from './support/api.js';
import { startCollector } from './support/collector.js';
import { apiKey } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { startApiProcesses } from './support/engine.js';
import { scrape, seriesOf } from './support/metrics.js';

const counted = 'http_requests_total{route="/api/purchase",method="POST",status_code="404"}';
const shown = { ENABLE_METRICS: 'true', METRICS_PORT: '0' };
const options = { apiKey, durationMs: 100, connections: 4 };

describe('the warm-up of an API', () => {
  it.each(['always_on', 'traceidratio', 'parentbased_always_on'])(
    'is neither counted nor traced, with the sampler %s',
    async sampler => {
      const { url } = await createTestDatabase();
      const collector = await startCollector();
      const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER: sampler };
      const api = await startTestApi(url, { ...shown, ...tracing, WARM_UP_MS: '200' });

      expect(seriesOf(await scrape(api.metricsUrl), 'http_requests_total')).toEqual([]);
      // The same purchase from outside is both: what is not there was sent before.
      await api.purchase({ productId: Number.MAX_SAFE_INTEGER, userId: 'ann' });
      expect(await scrape(api.metricsUrl)).toContain(`${counted} 1\n`);
      await api.drain();
      expect(collector.all('POST /api/purchase')).toHaveLength(1);
    },
  );

  it.each([
    { MAX_IN_FLIGHT: '1' },
    { RATE_LIMIT_SERVICE: 'true', RATE_LIMIT_USER_MAX: '1' },
    { SHED_LAG_MS: '1' },
    { RATE_LIMIT_IP_MAX: '1', RATE_LIMIT_IP_BURST: '1' },
  ])('counts no refusal, with %j', async settings => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url, { ...settings, WARM_UP_MS: '200' });
    const { body } = await api.asOperator('GET', '/api/admin/protection');
    expect(Object.values(body.refused as Record<string, number>).every(count => count === 0)).toBe(true);
  });

  it('succeeds in each of several processes of one API', async () => {
    const { url } = await createTestDatabase();
    const api = await startApiProcesses(3, url, { WARM_UP_MS: '300' });
    expect(await api.kill('SIGTERM')).toBe(0);
    expect(api.output()).not.toContain('could not warm up');
  });

  it('sends purchases for the given time to a server that does not listen', async () => {
    const { app, received } = createShop(404);
    const warmUp = createWarmUp();
    const startedAtMs = performance.now();
    const running = warmUp.run(app, options);
    await app.ready();
    expect(warmUp.isUnderWay()).toBe(true);

    const answered = await running;

    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(100);
    expect(answered).toBeGreaterThan(options.connections);
    expect(received()).toBe(answered);
    expect([app.server.listening, warmUp.isUnderWay()]).toEqual([false, false]);
  });

  it.each([200, 401, 429, 503])('ends with an error at an answer with %i', async status => {
    const { app, received } = createShop(status);
    await expect(createWarmUp().run(app, options)).rejects.toThrow(`was answered with ${status}`);
    expect(received()).toBeLessThanOrEqual(options.connections);
  });

  it('ends with an error if a purchase is not answered', async () => {
    const { app } = createShop(404, () => new Promise(() => {}));
    await expect(createWarmUp().run(app, options)).rejects.toThrow('was not answered');
  });
});

function createShop(status: number, answer: () => unknown = () => 'ok') {
  const app = Fastify();
  let received = 0;
  app.post('/api/purchase', async (_request, reply) => {
    received += 1;
    reply.code(status);
    return answer();
  });
  onTestFinished(() => app.close());
  return { app, received: () => received };
}
