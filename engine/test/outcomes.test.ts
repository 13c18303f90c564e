import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AppOptions } from '../src/app/app.js';
import { problems } from '../src/http/problem.js';
import type { Decide } from '../src/ledger/decide.js';
import { createDecisionQueue } from '../src/orders/decide.js';
import { type Answer, serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
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
  before?: Purchase[];
  send: Purchase | { body: unknown; headers: Record<string, string> };
  /** Shows the cookie of a demo session instead of the API key. */
  byCookie?: true;
};

const failing = (error: Error) => () => Promise.reject(error);
const P = -1; // stands for the product of the case
const buy = { productId: P, userId: 'a' };

/** A request for each outcome of a purchase, in the order of the document: each fits all outcomes after its own too. */
const cases: Record<string, Case[]> = {
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
  overloaded: [
    { decide: failing(Object.assign(new Error('serialization failure'), { code: '40001' })), send: buy },
  ],
  undecided: [
    { decide: failing(Object.assign(new Error('numeric value out of range'), { code: '22003' })), send: buy },
  ],
  unknown: [{ decide: failing(new Error('Connection terminated unexpectedly')), send: buy }],
};

describe('docs/outcomes.md', () => {
  it('lists every problem that the engine knows, with its status, and nothing else', () => {
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
    if (!example) throw new Error(`the document lists ${outcome} and no case of this test shows it`);

    const answer = await answerOf(example);

    expect(answer.status).toBe(status);
    if (status === 200)
      expect(answer.headers.get('idempotency-replayed')).toBe(outcome === 'replayed' ? 'true' : null);
    else expect(answer.slug).toBe(outcome);
    if (status === 503) expect(answer.headers.get('retry-after')).toBe('1');
  });

  it('is shorter than this test: no case is left that the document does not list', () => {
    const count = Object.values(cases).flat().length;
    expect(walked).toHaveLength(count);
  });
});

async function answerOf({ sale, decide, before = [], send, byCookie }: Case): Promise<Answer> {
  const { url, pool } = await createTestDatabase();
  const { productId } = await createTestSale(pool, sale);
  const options = decide ? { createDecisions: queueOf(decide) } : {};
  const api = await startTestApi(url, byCookie ? { IDENTITY: 'demo' } : {}, options);
  const withProduct = (purchase: Purchase) => ({
    ...purchase,
    productId: purchase.productId === P ? productId : purchase.productId,
  });
  for (const purchase of before) expect((await api.purchase(withProduct(purchase))).status).toBe(200);
  if ('productId' in send) return api.purchase(withProduct(send));
  return api.request('POST', '/api/purchase', {
    body: send.body,
    headers: { ...(byCookie ? await cookieHeaders(api) : serviceHeaders), ...send.headers },
  });
}

async function cookieHeaders(api: TestApi): Promise<Record<string, string>> {
  const session = await api.request('POST', '/api/session', { headers: {} });
  return { cookie: `doorbuster_session=${String(session.body.token)}` };
}

function queueOf(decide: Decide): NonNullable<AppOptions['createDecisions']> {
  return ({ onStock }) =>
    createDecisionQueue({
      decide,
      onStock,
      onPoison: () => {},
      deadlineMs: 500,
      queueMax: 100,
      batchMax: 100,
    });
}
