import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { startTestApi, type TestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { apiKey, operatorToken } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { startApiProcesses } from './support/engine.js';
import { stockOf } from './support/sale.js';

const path = '/api/admin/rehearsals';
const terms = { allocation: 30, shoppers: 50, ratePerSecond: 200, seconds: 1 };
const long = { ...terms, seconds: 60 };

const rehearsalSchema = z.object({
  id: z.int(),
  status: z.string(),
  saleId: z.int(),
  productId: z.int(),
  progress: z.object({ requests: z.int() }).nullable(),
  report: z
    .object({
      throughput: z.object({ requests: z.int(), confirmed: z.int() }),
      damage: z.object({ lost: z.int(), altered: z.int(), duplicated: z.int(), oversold: z.int() }),
      outcomes: z.array(z.object({ slug: z.string(), count: z.int() })),
      verdict: z.object({ result: z.string() }),
    })
    .nullable(),
  failure: z.string().nullable(),
});

it('a rehearsal sells exactly the allocation, reports it, and leaves nothing in the shop', async () => {
  const { api, pool } = await start();
  const { id, productId, saleId } = await begin(api, terms);
  const ended = await whenOver(api, id);

  expect(ended).toMatchObject({ status: 'ended', failure: null });
  expect(ended.report).toMatchObject({
    throughput: { requests: 200, confirmed: 30 },
    damage: { lost: 0, altered: 0, duplicated: 0, oversold: 0 },
    verdict: { result: 'pass' },
  });
  expect(await stockOf(pool, saleId)).toMatchObject({ available: 0, sold: 30 });
  expect((await api.purchase({ productId, userId: 'late' })).slug).toBe('sale-not-open');
  const products = await api.request('GET', '/api/products');
  expect(products.body.products).toEqual([]);
  expect((await api.asOperator('GET', '/api/admin/sales')).body.sales).toEqual([]);
  const earned = await api.asOperator('GET', '/api/admin/stats');
  expect(earned.body).toMatchObject({ totals: [], days: [], products: [] });
  await expectCleanAudit(pool);
});

it('only one runs at a time, and one that is stopped is judged by what it has done', async () => {
  const { api, pool } = await start();
  const begun = await Promise.all([1, 2, 3].map(() => api.asOperator('POST', path, long)));
  expect(begun.map(({ status, slug }) => slug ?? status).sort()).toEqual([
    201,
    'rehearsal-running',
    'rehearsal-running',
  ]);
  const { id } = parse(begun.find(({ status }) => status === 201)?.body);
  await until('it has something to report', async () => ((await read(api, id)).progress?.requests ?? 0) > 0);
  // Its secrets are readable only by its own user.
  const commands = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
  expect(commands).toContain('--scenario rehearsal');
  expect(commands).not.toContain(apiKey);
  expect(commands).not.toContain(operatorToken);

  expect((await api.asOperator('DELETE', `${path}/${id}`)).status).toBe(200);
  const ended = await whenOver(api, id);
  expect(ended.status).toBe('stopped');
  expect(ended.report?.verdict.result).toBe('pass');
  expect((await stockOf(pool, ended.saleId)).sold).toBe(30);
  expect((await api.asOperator('DELETE', `${path}/${id}`)).body.status).toBe('stopped');
});

it('an engine that stops ends its rehearsal', async () => {
  const { url } = await createTestDatabase();
  const first = await startTestApi(url);
  const { id } = await begin(first, long);
  expect(generatorsOf(first.url)).toHaveLength(1);
  await first.drain();
  expect(generatorsOf(first.url)).toEqual([]);

  const other = await startTestApi(url);
  expect(await read(other, id)).toMatchObject({ status: 'failed', failure: 'The engine was stopped.' });
});

it('an engine that is killed takes its rehearsal with it, and blocks the next one for 15 s', async () => {
  const { pool, url: databaseUrl } = await createTestDatabase();
  const engine = await startApiProcesses(1, databaseUrl);
  const started = await fetch(`${engine.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(long),
  });
  const { id } = parse(await started.json());
  await until('it is running', () => generatorsOf(engine.url).length === 1);
  await engine.kill('SIGKILL');
  await until('the generator is gone as well', () => generatorsOf(engine.url).length === 0);

  const other = await startTestApi(databaseUrl);
  await pool.query('update rehearsals set seen_at = clock_timestamp()');
  expect((await other.asOperator('POST', path, terms)).slug).toBe('rehearsal-running');
  await pool.query(`update rehearsals set seen_at = clock_timestamp() - interval '15 seconds'`);
  expect(await read(other, id)).toMatchObject({ status: 'failed' });
  await begin(other, terms);
}, 60_000);

it('none run where they are disabled or there is no generator, and none beyond their limits', async () => {
  const { url } = await createTestDatabase();
  const off = await startTestApi(url, { ENABLE_REHEARSAL: 'false' });
  expect((await off.asOperator('POST', path, terms)).slug).toBe('rehearsals-disabled');
  expect((await off.asOperator('GET', path)).body.disabled).toContain('ENABLE_REHEARSAL');
  const without = await startTestApi(url, { LOADGEN_PATH: '/nowhere.js' });
  expect((await without.asOperator('POST', path, terms)).slug).toBe('rehearsals-disabled');

  const api = await startTestApi(url);
  const beyond = { allocation: 100_001, shoppers: 1_000_001, ratePerSecond: 10_001, seconds: 121 };
  for (const [name, value] of Object.entries(beyond)) {
    for (const bad of [value, 0]) {
      expect((await api.asOperator('POST', path, { ...terms, [name]: bad })).slug).toBe('invalid');
    }
  }
  expect((await api.asOperator('GET', `${path}/1`)).slug).toBe('not-found');
  expect((await api.asOperator('DELETE', `${path}/1`)).slug).toBe('not-found');
  expect((await api.request('POST', path, { body: terms })).status).toBe(403);
});

async function start() {
  const { pool, url } = await createTestDatabase();
  return { pool, api: await startTestApi(url) };
}

async function begin(api: TestApi, body: typeof terms) {
  const { status, body: answer } = await api.asOperator('POST', path, body);
  expect(status).toBe(201);
  return parse(answer);
}

async function read(api: TestApi, id: number) {
  return parse((await api.asOperator('GET', `${path}/${id}`)).body);
}

function whenOver(api: TestApi, id: number) {
  return until('it is over', async () => {
    const rehearsal = await read(api, id);
    return rehearsal.status === 'running' ? undefined : rehearsal;
  });
}

function parse(body: unknown) {
  return rehearsalSchema.parse(body);
}

/** Load generators that run against this engine. */
function generatorsOf(url: string): string[] {
  return execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter(command => command.includes(`--scenario rehearsal --url ${url} `));
}
