import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { createLogger } from '../src/platform/telemetry/logger.js';
import { operatorHeaders, serviceHeaders, startTestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

const lineSchema = z.looseObject({
  msg: z.string(),
  requestId: z.string().optional(),
  route: z.string().optional(),
  orderId: z.string().optional(),
  untold: z.int().optional(),
  stagesMs: z.record(z.string(), z.number()).optional(),
});

// Far above what a busy machine takes by itself.
const slowMs = 500;
const latencyMs = 600;

it('a slow purchase is logged with its order, its stages and the id in its answer; a fast one is not', async () => {
  const { api, productId, slowLines } = await start();
  const quick = await api.purchase({ productId, userId: 'a' });
  expect(quick.headers.get('x-response-time')).toMatch(/^\d+\.\dms$/);
  expect(quick.headers.get('x-request-id')).toBeNull();
  expect(slowLines()).toEqual([]);

  await slowDown(api);
  const slow = await api.purchase({ productId, userId: 'b' });

  const [line, ...others] = slowLines();
  expect(others).toEqual([]);
  expect(line).toMatchObject({
    level: 40,
    method: 'POST',
    route: '/api/purchase',
    status: 200,
    orderId: slow.body.order?.id,
    requestId: slow.headers.get('x-request-id'),
  });
  expect(line?.stagesMs?.decide).toBeGreaterThanOrEqual(slowMs);
  expect(Number.parseFloat(slow.headers.get('x-response-time') ?? '')).toBeGreaterThanOrEqual(slowMs);
});

it('a crowd of slow requests is logged in ten lines a second, and the next line counts the others', async () => {
  const { api, productId, slowLines } = await start();
  await slowDown(api);
  const crowd = Array.from({ length: 40 }, (_, i) => api.purchase({ productId, userId: `shopper-${i}` }));
  await Promise.all(crowd);
  const told = slowLines().length;
  expect(told).toBeGreaterThanOrEqual(10);
  expect(told).toBeLessThan(40);

  // A second later there is room for a line again.
  await expect
    .poll(async () => {
      await api.purchase({ productId, userId: `late-${performance.now()}` });
      return slowLines().reduce((sum, { untold = 0 }) => sum + untold + 1, 0);
    })
    .toBeGreaterThan(40);
});

it('a request keeps the id that a proxy gave it', async () => {
  const { api, productId, slowLines } = await start();
  await slowDown(api);
  const headers = { ...operatorHeaders, 'x-request-id': 'edge-7' };
  const answer = await api.request('GET', '/api/admin/audit', { headers });
  expect(answer.status).toBe(200);
  const bought = await api.request('POST', '/api/purchase', {
    body: { productId, userId: 'a' },
    headers: { ...serviceHeaders, 'x-request-id': 'edge-8' },
  });
  expect(bought.headers.get('x-request-id')).toBe('edge-8');
  expect(slowLines().map(({ requestId }) => requestId)).toContain('edge-8');
});

it('the log contains no secrets from the fields logged with an error', () => {
  const { logger, lines } = createTestLogger();
  const err = Object.assign(new Error('ECONNRESET'), { command: { name: 'auth', args: ['user', 's3cret'] } });
  logger.warn(
    { err, headers: { authorization: 'Bearer s3cret', cookie: 's3cret' }, token: 's3cret' },
    'trouble',
  );
  expect(lines()).toHaveLength(1);
  expect(JSON.stringify(lines())).not.toContain('s3cret');
  expect(JSON.stringify(lines())).toContain('(hidden)');
});

async function start() {
  const { url, pool } = await createTestDatabase();
  const { productId } = await createTestSale(pool, { allocation: 1000 });
  const { logger, lines } = createTestLogger();
  const env = { SLOW_REQUEST_MS: String(slowMs), FAULTS_ENABLED: 'true' };
  const api = await startTestApi(url, env, { logger });
  return {
    api,
    productId,
    slowLines: () => lines().filter(({ msg }) => msg === 'slow request'),
  };
}

async function slowDown(api: Awaited<ReturnType<typeof startTestApi>>): Promise<void> {
  const fault = { place: 'ledger', effect: 'latency', latencyMs, forMs: 60_000 };
  expect((await api.asOperator('POST', '/api/admin/faults', fault)).status).toBe(201);
}

function createTestLogger() {
  const texts: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      texts.push(String(chunk));
      done();
    },
  });
  const lines = () =>
    texts.flatMap(text => text.trim().split('\n')).map(text => lineSchema.parse(JSON.parse(text)));
  return { logger: createLogger('warn', { destination }), lines };
}
