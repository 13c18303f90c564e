import { expect, it } from 'vitest';
import { z } from 'zod';
import type { Pool } from '../../src/platform/postgres.js';
import { createSend, type RawAnswer } from '../bad-input/send.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { expectCleanAudit } from '../support/audit.js';
import { apiKey, operatorToken } from '../support/config.js';
import { createTestDatabase } from '../support/database.js';
import { createRandom, type Random } from '../support/random.js';
import { createTestSale } from '../support/sale.js';
import { type Operation, operationsOf } from './operations.js';
import { type FuzzRequest, requestFor, type Tokens } from './requests.js';
import type { Known } from './values.js';

const requests = Number(process.env.FUZZ_REQUESTS ?? 3000);
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
const atOnce = 20;

const productsOnSale = 30;
// Operators may pause and end these sales without spoiling the rest.
const sacrificed = 10;

const grantedSchema = z.looseObject({
  order_id: z.uuid().optional(),
  code: z.string().optional(),
  order: z.looseObject({ id: z.uuid(), productId: z.int(), quantity: z.int() }).optional(),
});
const buySchema = z.looseObject({ productId: z.int().optional(), quantity: z.int().default(1) });

it(`${requests} requests generated from /openapi.json get documented answers, and only purchases move stock`, async () => {
  console.info(`fuzz: FUZZ_SEED=${seed} FUZZ_REQUESTS=${requests}`);
  const { api, pool, tokens } = await startShop();
  const random = createRandom(seed);
  const operations = operationsOf((await api.request('GET', '/openapi.json')).body);
  const seen = createRecord();
  const { send, close } = createSend(api.url, atOnce);
  const drawn = operations.flatMap(operation => Array<Operation>(weightOf(operation)).fill(operation));
  let left = requests;

  async function work(): Promise<void> {
    while (left-- > 0) {
      const request = requestFor(random.pick(drawn), known(seen, random), tokens, random);
      const answer = await send(request).catch(error => error);
      seen.add(request, answer);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  close();

  console.info(`fuzz: ${requests} requests, ${seen.unexpected.length} unexpected; ${seen.summary()}`);
  expect(seen.unexpected).toEqual([]);
  expect(seen.orders.size).toBeGreaterThan(requests / 100);
  const { rows } = await pool.query<{ orderId: string }>('select order_id as "orderId" from orders');
  expect(rows.map(({ orderId }) => orderId).sort()).toEqual([...seen.orders].sort());
  await expectCleanAudit(pool);
  expect((await api.request('GET', '/api/ready')).status).toBe(200);
}, 300_000);

/** What came back: wrong answers, and the ids, codes and orders that later requests use. */
function createRecord() {
  const statuses = new Map<number, number>();
  const unexpected: unknown[] = [];
  const orders = new Set<string>();
  const codes: string[] = [];

  function readGranted({ operation, json }: FuzzRequest, { text }: RawAnswer): string | undefined {
    const { order_id, code, order } = grantedSchema.parse(JSON.parse(text));
    const id = order_id ?? order?.id;
    if (id !== undefined) orders.add(id);
    if (code !== undefined) codes.push(code);
    if (!operation.accepts(json)) return 'granted although the body does not match its schema';
    const asked = buySchema.parse(json);
    if (!order || asked.productId === undefined) return undefined;
    const isSame = order.productId === asked.productId && order.quantity === asked.quantity;
    return isSame ? undefined : 'granted something other than requested';
  }

  function faultOf(request: FuzzRequest, answer: RawAnswer | Error): string | undefined {
    if (answer instanceof Error) return `no answer: ${answer.message}`;
    const { status, text, headers } = answer;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const { operation } = request;
    // With another method than the documented one it is another call.
    const isOther = request.method !== operation.method;
    if (!isOther && !operation.statuses.has(status)) return `${status} is not documented: ${text}`;
    if (isOther && (status >= 500 || status < 200)) return `${status} for another method: ${text}`;
    const isProblem = headers['content-type']?.startsWith('application/problem+json') ?? false;
    if (status >= 400 !== isProblem && !isOther) return `${status} as ${headers['content-type']}`;
    if (isOther || status >= 300 || !isPurchase(operation)) return undefined;
    return readGranted(request, answer);
  }

  return {
    unexpected,
    orders,
    codes,
    add(request: FuzzRequest, answer: RawAnswer | Error): void {
      const fault = faultOf(request, answer);
      const { method, path, headers, body } = request;
      if (fault !== undefined) unexpected.push({ fault, method, path, headers, body: body?.slice(0, 500) });
    },
    summary: () =>
      `${orders.size} orders; ${[...statuses]
        .sort(([a], [b]) => a - b)
        .map(([status, count]) => `${status}: ${count}`)
        .join(', ')}`,
  };
}

function isPurchase({ method, path }: Operation): boolean {
  return method === 'POST' && ['/api/purchase', '/api/checkout', '/api/orders'].includes(path);
}

/** Purchases come more often; the audit reads everything and has its own test. */
function weightOf(operation: Operation): number {
  if (isPurchase(operation)) return 50;
  return operation.path === '/api/admin/audit' ? 1 : 10;
}

function known({ orders, codes }: ReturnType<typeof createRecord>, random: Random): Known {
  const someIds = [random.below(productsOnSale) + 1, random.below(productsOnSale) + 1, 999_999];
  const values: Record<string, () => readonly unknown[]> = {
    productId: () => someIds.slice(0, random.chance(0.05) ? 3 : 2),
    quantity: () => [1, 1, 2, 3, 100],
    userId: () => [`s${random.below(40)}`],
    'x-user-id': () => [`s${random.below(40)}`],
    'idempotency-key': () => [`k${random.below(200)}`],
    // A sale, a dead letter or an order, depending on the path.
    id: () => [productsOnSale + 1 + random.below(sacrificed), ...[...orders].slice(-2)],
    'request-timeout': () => ['2', '30', '0.5'],
    code: () => codes.slice(-3),
    saleId: () => someIds,
    allocation: () => [1, 1000],
    cron: () => ['0 * * * *', '*/5 * * * *', '0 0 * * 1', 'x'],
    timeZone: () => ['UTC', 'Europe/Berlin', 'Mars/Phobos'],
  };
  return field => values[field]?.();
}

async function startShop(): Promise<{ api: TestApi; pool: Pool; tokens: Tokens }> {
  const { url, pool } = await createTestDatabase();
  const asking = [{ challenge: 1000 }, { requiresToken: true }, { perPaymentLimit: 2, perAddressLimit: 2 }];
  for (let count = 0; count < productsOnSale + sacrificed; count++) {
    await createTestSale(pool, { allocation: 10_000, perUserLimit: 100, ...asking[count] });
  }
  // No load should start at random.
  const env = { IDENTITY: 'demo', ENABLE_REHEARSAL: 'false' };
  const api = await startTestApi(url, env, { roles: ['api', 'worker'] });
  const session = await api.request('POST', '/api/session', { headers: {} });
  return {
    api,
    pool,
    tokens: { shop: apiKey, operator: operatorToken, shopper: String(session.body.token) },
  };
}
