import pino, { type Logger } from 'pino';
import { describe, expect, it } from 'vitest';
import { createOpenTelemetry } from '../src/platform/telemetry/open-telemetry.js';
import { serviceHeaders, startTestApi } from './support/api.js';
import { startCollector } from './support/collector.js';
import { createTestDatabase } from './support/database.js';
import { startRoleProcess } from './support/engine.js';
import { tellLoaded } from './support/loaded-modules.js';
import { buy, startProxiedSale } from './support/paid-orders.js';
import { createTestSale, lockStock } from './support/sale.js';
import { clientSpan, expectLinked, expectOneTrace } from './support/traces.js';

describe('traces', () => {
  it('lead from the HTTP request through the queue in PostgreSQL to the payment', () =>
    expectOneTrace('postgresql', {}));

  it('of purchases decided together share a span that is linked to each of them', async () => {
    const { api, pool, collector, productId, saleId } = await open();
    const unlock = await lockStock(pool, saleId);
    const shoppers = ['a', 'b', 'c', 'd', 'e', 'f'];
    const answers = shoppers.map(userId => api.purchase({ productId, userId }));
    await unlock();
    for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
    await api.drain();

    const requests = collector.all('POST /api/purchase');
    const batches = collector.all('decide batch');
    expect(requests).toHaveLength(6);
    expect(Math.max(...batches.map(({ links }) => links.length))).toBeGreaterThan(1);
    expect(batches.flatMap(({ links }) => links)).toHaveLength(6);
    for (const request of requests) {
      const batch = batches.find(({ spanId }) => request.links.some(link => link.spanId === spanId));
      if (!batch) throw new Error('a request does not record a batch');
      expectLinked(batch, request);
      expect(request.attributes).toMatchObject({
        'http.route': '/api/purchase',
        'doorbuster.outcome': 'confirmed',
      });
    }
    expect(new Set(requests.map(({ traceId }) => traceId)).size).toBe(6);
  });

  it('of a purchase lead to the payment, and are not passed on if the client does not sample its own', async () => {
    const collector = await startCollector();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const { api, proxy, productId } = await startProxiedSale({}, { roles: ['api'], env });
    const unkept = clientSpan('00');

    const answer = await api.request('POST', '/api/purchase', {
      body: { productId, userId: 'ann' },
      headers: { ...serviceHeaders, traceparent: unkept.traceparent },
    });
    expect(answer.status).toBe(200);
    expect((await buy(api, { productId, userId: 'bob' })).status).toBe(200);
    await api.drain();

    const request = collector.one('POST /api/purchase');
    const payment = collector.one('payment charge');
    expect(payment).toMatchObject({ traceId: request.traceId, parentSpanId: request.spanId });
    expect(proxy.calls.map(({ traceparent }) => traceparent)).toEqual([
      expect.stringMatching(new RegExp(`^00-${unkept.traceId}-[0-9a-f]{16}-00$`)),
      `00-${payment.traceId}-${payment.spanId}-01`,
    ]);
    expect(collector.spans.filter(({ traceId }) => traceId === unkept.traceId)).toEqual([]);
  });

  const good = clientSpan().traceparent;
  it.each([
    { what: 'of nothing', traceparent: '' },
    { what: 'of 4,000 characters', traceparent: 'x'.repeat(4000) },
    { what: 'in capitals', traceparent: good.toUpperCase() },
    { what: 'with more behind it', traceparent: `${good}-00` },
    { what: 'of an invalid version', traceparent: good.replace('00-', 'ff-') },
    { what: 'of a trace without an id', traceparent: `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01` },
    { what: 'of a span without an id', traceparent: `00-${'1'.repeat(32)}-${'0'.repeat(16)}-01` },
  ])('start a new trace behind a traceparent $what', async ({ traceparent }) => {
    const { api, collector, productId } = await open();
    const answer = await api.request('POST', '/api/purchase', {
      body: { productId, userId: 'ann' },
      headers: { ...serviceHeaders, traceparent },
    });
    await api.drain();

    expect(answer.status).toBe(200);
    const { parentSpanId, traceId } = collector.one('POST /api/purchase');
    expect([parentSpanId ?? '', traceId]).toEqual(['', expect.not.stringMatching(/^(0|1)+$/)]);
  });
});

describe('a collector', () => {
  it('that hangs delays no purchase, and a stop for two seconds at most', async () => {
    const { api, collector, productId } = await open();
    collector.hang();
    for (const userId of ['a', 'b', 'c'])
      expect((await api.purchase({ productId, userId })).status).toBe(200);

    const stoppedAtMs = performance.now();
    await api.drain();
    expect(performance.now() - stoppedAtMs).toBeLessThan(5000);
    expect(collector.all('POST /api/purchase')).toHaveLength(3);
  });

  it('that rejects everything costs one log line and no purchase', async () => {
    const lines: string[] = [];
    const { api, productId } = await open({
      path: '/wrong',
      logger: pino({ level: 'warn' }, { write: line => lines.push(line) }),
    });
    for (const userId of ['a', 'b', 'c'])
      expect((await api.purchase({ productId, userId })).status).toBe(200);
    await api.drain();
    expect(lines.filter(line => line.includes('spans could not be delivered'))).toHaveLength(1);
  });

  it('that rejects everything is logged once a minute, however much it is sent', async () => {
    const { url } = await startCollector();
    const troubles: unknown[] = [];
    const tracing = createOpenTelemetry({ ...everything(url), onTrouble: error => troubles.push(error) });
    for (let i = 0; i < 2000; i++) tracing.start('span', { kind: 'client' }).end();
    await tracing.close();
    expect(troubles).toHaveLength(1);
  });

  it('that hangs leaves at most 2,560 spans in memory: those sent to it, and those waiting', async () => {
    const collector = await startCollector();
    collector.hang();
    const tracing = createOpenTelemetry(everything(`${collector.url}/v1/traces`));
    for (let i = 0; i < 50_000; i++) {
      tracing.start('span', { kind: 'client' }).end();
      // Lets it send.
      if (i % 500 === 0) await new Promise(resolve => setImmediate(resolve));
    }
    await tracing.close();
    expect(collector.spans.length).toBeGreaterThan(0);
    expect(collector.spans.length).toBeLessThanOrEqual(2560);
  });
});

describe('the sampled part of all traces', () => {
  it('is none with a ratio of 0, and all without a sampler', async () => {
    const none = await open({ env: { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' } });
    await none.api.purchase({ productId: none.productId, userId: 'ann' });
    await none.api.drain();
    expect(none.collector.spans).toEqual([]);
    const all = await open();
    await all.api.purchase({ productId: all.productId, userId: 'ann' });
    await all.api.drain();
    expect(all.collector.all('POST /api/purchase')).toHaveLength(1);
  });
});

describe('an engine without an endpoint for traces', () => {
  it('loads nothing of OpenTelemetry, unlike one with an endpoint', async () => {
    const { url } = await createTestDatabase();
    const loadedWith = async (env: Record<string, string>) => {
      const modules = await tellLoaded();
      const api = await startRoleProcess('api', url, { ...env, ...modules.env });
      await api.kill('SIGTERM');
      return (await modules.read()).filter(module => /opentelemetry|@sentry/.test(module));
    };
    expect(await loadedWith({})).toEqual([]);
    expect(
      await loadedWith({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1/v1/traces' }),
    ).not.toEqual([]);
  });

  it('sends no trace header to the payment provider, and passes none on', async () => {
    const { api, proxy, productId } = await startProxiedSale({}, { roles: ['api'] });
    const headers = { ...serviceHeaders, traceparent: clientSpan().traceparent };
    const body = { productId, userId: 'ann' };
    const answer = await api.request('POST', '/api/purchase', { body, headers });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('traceparent')).toBeNull();
    expect(proxy.calls.map(({ traceparent }) => traceparent)).toEqual([undefined]);
  });
});

describe('the log', () => {
  it('names the trace of a slow request', async () => {
    const lines: string[] = [];
    const { api, productId } = await open({
      env: { SLOW_REQUEST_MS: '1', FAULTS_ENABLED: 'true' },
      logger: pino({ level: 'warn' }, { write: line => lines.push(line) }),
    });
    const client = clientSpan();
    await api.asOperator('POST', '/api/admin/faults', {
      place: 'ledger',
      effect: 'latency',
      latencyMs: 50,
      share: 1,
      forMs: 60_000,
    });
    const headers = { ...serviceHeaders, traceparent: client.traceparent };
    await api.request('POST', '/api/purchase', { body: { productId, userId: 'ann' }, headers });
    const slow = lines.map(line => JSON.parse(line)).find(({ route }) => route === '/api/purchase');
    expect(slow).toMatchObject({
      trace_id: client.traceId,
      span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });
});

function everything(url: string) {
  return { url, roles: [], sampler: 'always_on' as const, ratio: 1, linksMax: 1, onTrouble: () => {} };
}

type OpenOptions = { env?: Record<string, string>; path?: string; logger?: Logger };

/** An API whose traces go to a collector, with a free sale. */
async function open({ env, path = '', logger }: OpenOptions = {}) {
  const collector = await startCollector();
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool);
  const api = await startTestApi(
    url,
    { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}${path}`, ...env },
    logger ? { logger } : {},
  );
  return { api, pool, collector, productId, saleId };
}
