import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createAccept } from '../src/ledger/accept.js';
import { createDecide, type Digests } from '../src/ledger/decide.js';
import { expireHolds } from '../src/ledger/expire.js';
import { createSettle } from '../src/ledger/settle.js';
import { orderIdOf } from '../src/orders/order-id.js';
import type { Pool } from '../src/platform/postgres.js';
import { type Answer, serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { brokenInvariants, expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { lapse } from './support/holds.js';
import { decidedStandings, queueOrder } from './support/queued.js';
import { createTestSale, stockOf } from './support/sale.js';
import { heldBy } from './support/shopper.js';

const card = 'card_9f2';
const roads = ['/api/purchase', '/api/checkout', '/api/orders'];

describe('units per payment fingerprint', () => {
  it('hold when 60 shoppers come with one at once, in two processes, beside others', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { perPaymentLimit: 4 });
    const apis = [await startTestApi(url), await startTestApi(url)];
    const answers = await rush(apis, 60, position => ({
      productId,
      paymentFingerprint: position % 3 === 0 ? `own ${position}` : card,
    }));

    expect(countOf(answers, 200)).toBe(4 + 20);
    expect(answers.filter(({ slug }) => slug === 'payment-limit-reached')).toHaveLength(36);
    await expectCleanAudit(pool);
  });

  it('fail without their check: the negative control', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { perPaymentLimit: 4 });
    const sql = await readFile(new URL('../src/ledger/decide.sql', import.meta.url), 'utf8');
    const check = 'v_request.quantity > v_payment_left[v_payment_firsts[v_request.position]]';
    expect(sql).toContain(check);
    await pool.query(sql.replace(check, 'false'));
    const answers = await rush([await startTestApi(url)], 20, () => ({
      productId,
      paymentFingerprint: card,
    }));

    expect(countOf(answers, 200)).toBeGreaterThan(4);
    expect(await brokenInvariants(pool)).toContain(4);
  });

  it('are counted by all three roads together, in each sale of its own', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { perPaymentLimit: 3 });
    const other = await createTestSale(pool, { perPaymentLimit: 3 });
    const api = await startTestApi(url, {}, { roles: ['api', 'worker'] });
    const body = { productId, paymentFingerprint: card };
    const queued = await queueOrder(api, { ...body, userId: 'q', quantity: 2 });
    expect(await decidedStandings(pool, [queued])).toEqual(['CONFIRMED']);
    expect((await buy(api, '/api/checkout', { ...body, userId: 'c' })).status).toBe(201);

    for (const path of roads.slice(0, 2)) {
      const refused = await buy(api, path, { ...body, userId: path });
      expect(refused).toMatchObject({ status: 409, slug: 'payment-limit-reached' });
    }
    const late = await queueOrder(api, { ...body, userId: 'late' });
    expect(await decidedStandings(pool, [late])).toEqual(['REJECTED payment-limit-reached']);
    const elsewhere = { ...body, productId: other.productId, userId: 'q', quantity: 3 };
    expect((await buy(api, '/api/purchase', elsewhere)).status).toBe(200);
    await expectCleanAudit(pool);
  });

  it('come back when a hold is cancelled or lapses', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool, { perPaymentLimit: 2, perAddressLimit: 2 });
    const api = await startTestApi(url);
    const body = { productId, paymentFingerprint: card, addressKey: 'home', quantity: 2 };
    const hold = async (userId: string) => buy(api, '/api/checkout', { ...body, userId });
    const first = heldBy(await hold('a'));
    expect((await hold('b')).slug).toBe('payment-limit-reached');

    const asOwner = { headers: { ...serviceHeaders, 'x-user-id': 'a' } };
    expect((await api.request('DELETE', `/api/orders/${first.orderId}`, asOwner)).status).toBe(200);
    const second = heldBy(await hold('b'));
    await lapse(pool, saleId, [second.orderId]);
    expect((await expireHolds(pool, saleId, 10)).expired).toBe(1);
    expect(await unitsByKind(pool)).toEqual({ payment: 0, address: 0 });
    expect((await hold('c')).status).toBe(201);
    expect(await unitsByKind(pool)).toEqual({ payment: 2, address: 2 });
    await expectCleanAudit(pool);
  });
});

describe('units per address', () => {
  it('are those of whoever calls from it where shoppers call themselves, an IPv6 network being one', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { perAddressLimit: 2 });
    const api = await startTestApi(url, { IDENTITY: 'demo', TRUST_PROXY: '127.0.0.0/8' });
    const from = async (ip: string) => {
      const session = await api.request('POST', '/api/session', { headers: {} });
      const headers = { authorization: `Bearer ${String(session.body.token)}`, 'x-forwarded-for': ip };
      return (await api.request('POST', '/api/purchase', { body: { productId }, headers })).slug;
    };
    const [one, two, three] = ['2001:db8:1:2::1', '2001:db8:1:2::2', '2001:db8:1:2:ffff::3'];
    expect(await Promise.all([one, two].map(from))).toEqual([undefined, undefined]);
    expect(await from(three)).toBe('address-limit-reached');
    expect(await from('2001:db8:1:3::1')).toBeUndefined();
    await expectCleanAudit(pool);
  });

  it('are not counted by what a shopper says of themselves', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { perAddressLimit: 2 });
    const api = await startTestApi(url, { IDENTITY: 'demo' });
    const session = await api.request('POST', '/api/session', { headers: {} });
    const headers = { authorization: `Bearer ${String(session.body.token)}` };
    for (const said of [{ addressKey: 'elsewhere' }, { paymentFingerprint: card }]) {
      for (const path of roads) {
        const answer = await api.request('POST', path, { body: { productId, ...said }, headers });
        expect(answer).toMatchObject({ status: 400, slug: 'invalid' });
      }
    }
  });
});

describe('a sale that counts by something', () => {
  it('refuses whoever leaves it out, by all roads, but for a retry of an order that there is', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool, { perPaymentLimit: 2, perAddressLimit: 2 });
    const api = await startTestApi(url);
    const whole = { productId, userId: 'a', paymentFingerprint: card, addressKey: 'home' };
    for (const path of roads) {
      for (const lacking of ['paymentFingerprint', 'addressKey']) {
        const body = { ...whole, [lacking]: undefined };
        const answer = await buy(api, path, body, `${path} ${lacking}`.replaceAll(' ', '-'));
        expect(answer).toMatchObject({ status: 400, slug: 'limit-key-required' });
      }
    }
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 100 });

    const first = await buy(api, '/api/purchase', whole, 'k');
    const again = await buy(api, '/api/purchase', { productId, userId: 'a' }, 'k');
    expect(again.body.order?.id).toBe(first.body.order?.id);
    expect(await unitsByKind(pool)).toEqual({ payment: 1, address: 1 });
  });

  it('keeps nothing that was stated, and where it does not count by it not even a digest', async () => {
    const { url, pool } = await createTestDatabase();
    const counting = await createTestSale(pool, { perPaymentLimit: 2 });
    const plain = await createTestSale(pool);
    const api = await startTestApi(url);
    const stated = { userId: 'a', paymentFingerprint: card, addressKey: '12 Acacia Avenue' };
    for (const { productId } of [counting, plain]) await buy(api, '/api/purchase', { ...stated, productId });

    const { rows } = await pool.query<{ payment_digest: string | null; address_digest: string | null }>(
      'select payment_digest, address_digest from orders order by sale_id',
    );
    expect(rows).toEqual([
      { payment_digest: expect.stringMatching(/^[\w-]{22}$/), address_digest: null },
      { payment_digest: null, address_digest: null },
    ]);
    expect(await unitsByKind(pool)).toEqual({ payment: 1 });
  });

  it('grants nothing to a build that does not know of it, which goes on selling everything else', async () => {
    const { pool } = await createTestDatabase();
    const counting = await createTestSale(pool, { perAddressLimit: 2 });
    const plain = await createTestSale(pool);
    const outcomes = async ({ saleId }: { saleId: number }) => {
      const { rows } = await pool.query<{ outcomes: string[] }>(
        'select outcomes from decide($1, array[gen_random_uuid()], array[$2], array[1], array[0], null, null)',
        [saleId, 'a'],
      );
      return rows[0]?.outcomes;
    };
    expect(await outcomes(counting)).toEqual(['address-limit-reached']);
    expect(await outcomes(plain)).toEqual(['confirmed']);
  });
});

describe('the ledger', () => {
  const digests = { payment: 'p', address: null };

  it('counts queued orders, and replays of dead letters, when it decides them', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { perPaymentLimit: 1 });
    const order = (shopperId: string) => ({ orderId: orderIdOf(shopperId, 'k'), shopperId, quantity: 1 });
    const receivedAtMs = performance.now();
    const queued = ['a', 'b', 'c'].map(shopperId => ({ ...order(shopperId), receivedAtMs, digests }));
    await createAccept(pool)(saleId, queued);
    const settle = createSettle(pool);
    await settle(saleId, [{ event: 'fail', orderId: order('a').orderId, reason: 'force-fail' }]);
    expect(await decideQueued(pool, saleId, ['b', 'c'])).toEqual(['confirmed', 'payment-limit-reached']);

    await settle(saleId, [{ event: 'requeue', orderId: order('a').orderId }]);
    expect(await decideQueued(pool, saleId, ['a'])).toEqual(['payment-limit-reached']);
    await expectCleanAudit(pool);
  });

  it.each([
    { taken: 0, outcome: 'confirmed', reason: 'late-payment' },
    { taken: 1, outcome: 'refund-due', reason: 'late-payment-limit-reached' },
  ])(
    'gives a late payment $outcome when $taken units of its card are bought',
    async ({ taken, outcome, reason }) => {
      const { pool } = await createTestDatabase();
      const { saleId } = await createTestSale(pool, { perPaymentLimit: 1, payment: 'required' });
      const decide = decideDirect(pool, saleId, digests);
      const paymentId = await decide('a');
      const orderId = orderIdOf('a', 'k');
      await lapse(pool, saleId, [orderId]);
      await expireHolds(pool, saleId, 10);
      if (taken) await decide('b');

      const captured = {
        event: 'captured',
        orderId,
        paymentId,
        amountMinor: 1999,
        currency: 'EUR',
        reference: 'r',
      } as const;
      const { decisions } = await createSettle(pool)(saleId, [captured]);
      expect(decisions).toMatchObject([{ outcome, order: { reason: taken ? 'hold-lapsed' : reason } }]);
      expect(await unitsByKind(pool)).toEqual({ payment: 1 });
      expect(await brokenInvariants(pool)).not.toContain(4);
    },
  );

  it.each([
    { bug: 'units of a card are not counted', sql: 'update digest_allowances set units = units - 1' },
    { bug: 'a card is forgotten', sql: 'delete from digest_allowances' },
    { bug: 'a card has more than the limit', sql: 'update sales set per_payment_limit = 1' },
    { bug: 'an order states nothing', sql: 'update orders set payment_digest = null' },
    {
      bug: 'units stay counted after their order',
      sql: `insert into digest_allowances select sale_id, 'payment', 'gone', 1 from sales`,
    },
  ])('has its audit find that $bug', async ({ sql }) => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { perPaymentLimit: 2 });
    const decide = decideDirect(pool, saleId, digests);
    await decide('a');
    await decide('b');
    await expectCleanAudit(pool);

    await pool.query(sql);
    expect(await brokenInvariants(pool)).toEqual([4]);
  });
});

type Body = Record<string, unknown> & { productId: number };

function buy(api: TestApi, path: string, body: Body, key?: string): Promise<Answer> {
  const headers = key === undefined ? serviceHeaders : { ...serviceHeaders, 'idempotency-key': key };
  return api.request('POST', path, { body, headers });
}

/** That many shoppers at once, spread over the processes. */
function rush(
  apis: readonly TestApi[],
  count: number,
  bodyOf: (position: number) => Body,
): Promise<Answer[]> {
  return Promise.all(
    Array.from({ length: count }, (_, position) => {
      const api = apis[position % apis.length];
      if (!api) throw new Error('the test wants an API');
      return buy(api, '/api/purchase', { ...bodyOf(position), userId: `shopper ${position}` });
    }),
  );
}

const countOf = (answers: readonly Answer[], status: number) =>
  answers.filter(answer => answer.status === status).length;

async function unitsByKind(pool: Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ kind: string; units: number }>(
    'select kind, sum(units) as units from digest_allowances group by kind',
  );
  return Object.fromEntries(rows.map(({ kind, units }) => [kind, units]));
}

async function decideQueued(pool: Pool, saleId: number, shopperIds: readonly string[]): Promise<string[]> {
  const { decisions } = await createDecide(pool)(
    saleId,
    shopperIds.map(shopperId => ({
      ...{ orderId: orderIdOf(shopperId, 'k'), shopperId, quantity: 1, receivedAtMs: performance.now() },
      entrance: 'queued',
    })),
  );
  return decisions.map(({ outcome }) => outcome);
}

/** Direct purchases of one unit each. @returns what gives the id of the payment it waits for, if any. */
function decideDirect(pool: Pool, saleId: number, digests: Digests) {
  return async (shopperId: string): Promise<string> => {
    const request = { orderId: orderIdOf(shopperId, 'k'), shopperId, quantity: 1, digests };
    const { decisions } = await createDecide(pool)(saleId, [{ ...request, receivedAtMs: performance.now() }]);
    const [decision] = decisions;
    if (!decision || !('order' in decision)) throw new Error(`not granted: ${decision?.outcome}`);
    return decision.outcome === 'reserved' ? (decision.paymentId ?? '') : '';
  };
}
