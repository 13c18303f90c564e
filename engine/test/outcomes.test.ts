import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Urgency } from '../src/admission/shedding.js';
import type { AppOptions } from '../src/app/app.js';
import { problems } from '../src/http/answers/problem-slugs.js';
import type { Decide } from '../src/ledger/decide.js';
import { createBatchQueue } from '../src/orders/batch-queue.js';
import { type Answer, serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
import { createStuckDecide, type ProtectionView, shedAt, untilProtection } from './support/protection.js';
import { createTestSale, type SaleOptions } from './support/sale.js';

const document = readFileSync(new URL('../../docs/outcomes.md', import.meta.url), 'utf8');
const rows = [...document.matchAll(/^\| (?:`([a-z-]+)`|\(200\) (\w+)) \| (\d{3}) \|/gm)].map(
  ([, slug, outcome, status]) => ({
    outcome: slug ?? outcome ?? '',
    status: Number(status),
  }),
);

type Purchase = { productId: number; userId: string; quantity?: number; key?: string };
type Case = {
  sale?: SaleOptions;
  decide?: Decide;
  env?: Record<string, string>;
  /** Purchases in flight while the request runs, until the layers of protection report this state. */
  busy?: { purchases: number; until: (view: ProtectionView) => boolean };
  shedding?: Urgency;
  /** Sent this many times at once; only the last answer counts. */
  times?: number;
  before?: Purchase[];
  send: Purchase | { body: unknown; headers: Record<string, string> };
  /** Sends the cookie of a demo session instead of the API key. */
  byCookie?: true;
};

const failing = (error: Error) => () => Promise.reject(error);
const P = -1; // stands for the product of the case
const buy = { productId: P, userId: 'a' };

const unsupported = { body: 'x', headers: { 'content-type': 'text/plain', authorization: 'Bearer x' } };
const once = { RATE_LIMIT_IP_MAX: '1', RATE_LIMIT_IP_BURST: '1' };

/**
 * A request for each outcome of a purchase, in the order of the document: each would also get any of the later
 * outcomes.
 */
const cases: Record<string, Case[]> = {
  overloaded: [
    {
      env: { ...once, MAX_IN_FLIGHT: '1' },
      busy: { purchases: 1, until: ({ inFlight }) => inFlight === 1 },
      send: unsupported,
    },
    {
      shedding: 'finishing',
      send: unsupported,
    },
    {
      env: { RATE_LIMIT_USER_MAX: '1', RATE_LIMIT_SERVICE: 'true' },
      shedding: 'buying',
      send: { productId: 999_999, userId: 'a', quantity: 11 },
    },
    {
      decide: failing(Object.assign(new Error('serialization failure'), { code: '40001' })),
      send: buy,
    },
  ],
  'rate-limited': [
    { env: once, times: 20, send: unsupported },
    {
      env: { RATE_LIMIT_USER_MAX: '1', RATE_LIMIT_SERVICE: 'true' },
      before: [buy],
      send: { productId: 999_999, userId: 'a', quantity: 11 },
    },
  ],
  'unsupported-media-type': [{ send: { body: 'x', headers: { 'content-type': 'text/plain' } } }],
  'too-large': [
    { send: { body: `"${'x'.repeat(70_000)}"`, headers: { 'content-type': 'application/json' } } },
  ],
  invalid: [{ send: { body: {}, headers: { 'content-type': 'application/json' } } }],
  'not-authenticated': [
    { send: { body: { productId: 999_999, userId: 'a' }, headers: { authorization: 'Bearer x' } } },
  ],
  'forbidden-origin': [
    {
      send: { body: { productId: 999_999, userId: 'a' }, headers: { origin: 'https://evil.example' } },
      byCookie: true,
    },
  ],
  csrf: [{ send: { body: { productId: 999_999, userId: 'a' }, headers: {} }, byCookie: true }],
  'product-not-found': [{ send: { productId: 999_999, userId: 'a', quantity: 11 } }],
  replayed: [{ sale: { allocation: 1 }, before: [{ ...buy, key: 'k' }], send: { ...buy, key: 'k' } }],
  'idempotency-key-reused': [
    { sale: { allocation: 1 }, before: [{ ...buy, key: 'k' }], send: { ...buy, key: 'k', quantity: 11 } },
  ],
  'sale-not-open': [{ sale: { startsInMs: 60_000, allocation: 1 }, send: { ...buy, quantity: 11 } }],
  'limit-reached': [
    {
      sale: { allocation: 1, perUserLimit: 10 },
      before: [{ ...buy, userId: 'b' }],
      send: { ...buy, quantity: 11 },
    },
    { sale: { perUserLimit: 2 }, before: [{ ...buy, quantity: 2 }], send: buy },
  ],
  'sold-out': [{ sale: { allocation: 1, perUserLimit: 1 }, before: [buy], send: buy }],
  confirmed: [{ send: buy }],
  undecided: [
    { decide: failing(Object.assign(new Error('numeric value out of range'), { code: '22003' })), send: buy },
  ],
  unknown: [{ decide: failing(new Error('Connection terminated unexpectedly')), send: buy }],
};

describe('docs/outcomes.md', () => {
  it('lists every problem of the engine with its status, and nothing else', () => {
    const documented = new Map(
      rows.filter(({ outcome }) => outcome in problems).map(row => [row.outcome, row.status]),
    );
    expect(Object.fromEntries([...documented].sort())).toEqual(
      Object.fromEntries(
        Object.entries(problems)
          .map(([slug, { status }]) => [slug, status])
          .sort(),
      ),
    );
  });

  const walked = rows.slice(
    1,
    rows.findIndex(({ outcome }) => outcome === 'forbidden'),
  );
  const seen = new Map<string, number>();
  it.each(walked)('gives $outcome ($status) by its precedence', async ({ outcome, status }) => {
    const name = outcome === 'outcome-unknown' ? 'unknown' : outcome;
    const occurrence = seen.get(name) ?? 0;
    seen.set(name, occurrence + 1);
    const example = cases[name]?.[occurrence];
    if (!example) throw new Error(`the document lists ${outcome} and no case of this test covers it`);

    const answer = await answerOf(example);

    expect(answer.status).toBe(status);
    if (status === 200)
      expect(answer.headers.get('idempotency-replayed')).toBe(outcome === 'replayed' ? 'true' : null);
    else expect(answer.slug).toBe(outcome);
    if (status === 503 || status === 429) expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  });

  it('lists every case of this test', () => {
    const count = Object.values(cases).flat().length;
    expect(walked).toHaveLength(count);
  });
});

async function answerOf(example: Case): Promise<Answer> {
  const { sale, busy, times = 1, before = [], send, byCookie } = example;
  const env = { ...example.env, ...(byCookie && { IDENTITY: 'demo' }) };
  const { url, pool } = await createTestDatabase();
  const { productId } = await createTestSale(pool, sale);
  const stuck = createStuckDecide();
  const decide = busy ? stuck.decide : example.decide;
  const api = await startTestApi(url, env, {
    ...(decide && { createDecisions: queueOf(decide, busy ? 20_000 : 500) }),
    ...(example.shedding && { shedding: shedAt(example.shedding) }),
  });
  const credentials = byCookie ? await cookieHeaders(api) : serviceHeaders;
  const buyNow = (purchase: Purchase) =>
    api.purchase({ ...purchase, productId: purchase.productId === P ? productId : purchase.productId });
  const ask = () =>
    'productId' in send
      ? buyNow(send)
      : api.request('POST', '/api/purchase', {
          body: send.body,
          headers: { ...credentials, ...send.headers },
        });

  for (const purchase of before) expect((await buyNow(purchase)).status).toBe(200);
  const underWay: Promise<unknown>[] = [];
  for (let n = 1; busy && n <= busy.purchases; n++) {
    underWay.push(buyNow({ ...buy, userId: `busy-${n}` }));
    // The first is sealed and hangs; the next one waits behind it.
    await untilProtection(api, `${n} are in flight`, ({ inFlight }) => inFlight === n);
  }
  if (busy) await untilProtection(api, 'it is as busy as required', busy.until);
  const answers = await Promise.all(Array.from({ length: times }, ask));
  stuck.letGo();
  await Promise.all(underWay);
  const [first, ...rest] = answers;
  if (!first) throw new Error('nothing was sent');
  return rest.at(-1) ?? first;
}

async function cookieHeaders(api: TestApi): Promise<Record<string, string>> {
  const session = await api.request('POST', '/api/session', { headers: {} });
  return { cookie: `doorbuster_session=${String(session.body.token)}` };
}

function queueOf(decide: Decide, deadlineMs: number): NonNullable<AppOptions['createDecisions']> {
  return ({ common }) => createBatchQueue({ decide, ...common, deadlineMs, queueMax: 100, batchMax: 100 });
}
