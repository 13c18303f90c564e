import { describe, expect, it } from 'vitest';
import { createLogger } from '../src/platform/telemetry/logger.js';
import { startErrorReports } from '../src/platform/telemetry/start-error-reports.js';
import { serviceHeaders, startTestApi } from './support/api.js';
import { startCollector } from './support/collector.js';
import { until } from './support/condition.js';
import { testConfig } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { startRoleProcess } from './support/engine.js';
import { tellLoaded } from './support/loaded-modules.js';
import { createTestSale } from './support/sale.js';
import { type SentryReceiver, startSentryReceiver } from './support/sentry.js';
import { clientSpan } from './support/traces.js';

describe('errors', () => {
  it('in requests reach Sentry with request and trace, without the shopper and the body', async () => {
    const sentry = await startSentryReceiver();
    const { reports, logger } = await startReports(sentry);
    const { url, pool } = await createTestDatabase();
    const collector = await startCollector();
    const api = await startTestApi(url, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }, { logger });
    await pool.query('alter table attempts rename to elsewhere');
    const client = clientSpan();

    const answer = await api.request('GET', '/api/admin/attempts?shopperId=ann-of-cleves', {
      headers: {
        ...operator,
        traceparent: client.traceparent,
        'x-request-id': 'the-request',
        cookie: 'session=secret-cookie',
      },
    });
    await reports.close();

    expect(answer.status).toBe(500);
    const [event, ...others] = sentry.events;
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      level: 'error',
      message: 'a request failed',
      environment: 'test',
      tags: { requestId: 'the-request', route: '/api/admin/attempts' },
      contexts: { trace: { trace_id: client.traceId } },
    });
    expect(event?.exception?.values.at(-1)?.value).toContain('relation "attempts" does not exist');
    expect(JSON.stringify(event?.exception)).toMatch(/list-attempts/);
    expect(sentry.raw()).not.toMatch(/ann-of-cleves|secret-cookie|test-operator-token|cookie|authorization/i);
  });

  it('from which a worker cannot recover are reported with the order', async () => {
    const sentry = await startSentryReceiver();
    const { reports, logger } = await startReports(sentry);
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const api = await startTestApi(url, {}, { roles: ['api', 'worker'], logger });
    await pool.query(
      `alter table journal add constraint nothing_is_confirmed check (to_status <> 'CONFIRMED')`,
    );
    const answer = await api.request('POST', '/api/orders', {
      body: { productId, userId: 'ann-of-cleves' },
      headers: serviceHeaders,
    });
    await until('it is reported', () => sentry.events[0]);
    await reports.close();

    expect(sentry.events[0]).toMatchObject({
      message: 'PostgreSQL refused a request',
      tags: { orderId: answer.body.order_id },
    });
    expect(sentry.raw()).toContain('nothing_is_confirmed');
    expect(sentry.raw()).not.toContain('ann-of-cleves');
  });

  it('reveal no text that came from outside', async () => {
    const sentry = await startSentryReceiver();
    const { reports, logger } = await startReports(sentry);
    const cause = Object.assign(new Error('connect to amqp://user:hunter2@host:5672'), {
      command: { args: ['hunter2'] },
      headers: { authorization: 'Bearer hunter2' },
    });
    const { pool } = await createTestDatabase();
    const invalid: unknown = await pool.query(`select $1::uuid`, ['hunter2']).catch(error => error);
    const garbled = asError(() => JSON.parse('{"name": hunter2'));
    const errors = [
      new Error('GET https://host/path?key=hunter2 with Bearer hunter2', { cause }),
      invalid,
      garbled,
    ];
    for (const err of errors) {
      logger.error({ err, shopperId: 'hunter2', body: { name: 'hunter2' }, cookie: 'hunter2' }, 'it failed');
    }
    logger.warn({ err: cause }, 'no error, and not reported');
    await reports.close();

    expect(sentry.events).toHaveLength(3);
    expect(sentry.events[0]?.exception?.values).toHaveLength(2);
    expect(sentry.raw()).not.toContain('hunter2');
    expect(sentry.raw()).toContain('invalid input syntax for type uuid');
  });

  it('are limited to ten a second, and a Sentry that hangs delays a stop for two seconds at most', async () => {
    const sentry = await startSentryReceiver();
    sentry.hang();
    const { reports, logger } = await startReports(sentry);
    for (let i = 0; i < 1000; i++) logger.error({ err: new Error('again') }, 'it failed');
    const closedAtMs = performance.now();
    await reports.close();
    expect(performance.now() - closedAtMs).toBeLessThan(4000);
    expect(sentry.events.length).toBeGreaterThan(0);
    expect(sentry.events.length).toBeLessThanOrEqual(20);
  });

  it('that could not be delivered are logged once, as a warning, which is not reported', async () => {
    const troubles: unknown[] = [];
    const config = testConfig({ SENTRY_DSN: 'http://public@127.0.0.1:1/1' });
    const reports = await startErrorReports(config, error => troubles.push(error));
    for (let i = 0; i < 5; i++) reports?.report({ level: 'error', message: 'it failed', fields: {} });
    await reports?.close();
    expect(troubles).toHaveLength(1);
  });
});

describe('a process', () => {
  it('that ends with an uncaught error reports it first, and exits with 1', async () => {
    const sentry = await startSentryReceiver();
    const { url } = await createTestDatabase();
    const preload = `process.on('SIGUSR2', () => { throw new Error('thrown into the void') })`;
    const api = await startRoleProcess('api', url, {
      SENTRY_DSN: sentry.dsn,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
    });
    expect(await api.kill('SIGUSR2')).toBe(1);
    expect(sentry.events).toMatchObject([{ level: 'fatal', message: 'uncaught error' }]);
    expect(sentry.raw()).toContain('thrown into the void');
    expect(api.output()).toContain('thrown into the void');
  });

  it('loads Sentry only when a DSN is set', async () => {
    const { url } = await createTestDatabase();
    const loadedWith = async (env: Record<string, string>) => {
      const modules = await tellLoaded();
      const worker = await startRoleProcess('worker', url, { ...env, ...modules.env });
      await worker.kill('SIGTERM');
      return (await modules.read()).filter(module => module.includes('@sentry'));
    };
    expect(await loadedWith({})).toEqual([]);
    expect(await loadedWith({ SENTRY_DSN: 'http://public@127.0.0.1:1/1' })).not.toEqual([]);
  });
});

const operator = { authorization: 'Bearer test-operator-token-000000' };

/** As in a real process: errors in its log are reported. */
async function startReports({ dsn }: SentryReceiver) {
  const reports = await startErrorReports(testConfig({ SENTRY_DSN: dsn }), () => {});
  if (!reports) throw new Error('there are no reports without a DSN');
  const destination = { write: () => {} };
  return { reports, logger: createLogger('error', { destination, onError: reports.report }) };
}

function asError(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
