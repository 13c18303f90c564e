import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { expireHolds } from '../src/ledger/expire.js';
import { type Answer, serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { brokenInvariants, expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { type Body, buy, card, roads, unitsByKind } from './support/digest-limits.js';
import { lapse } from './support/holds.js';
import { decidedStandings, queueOrder } from './support/queued.js';
import { createTestSale } from './support/sale.js';
import { heldBy } from './support/shopper.js';

describe('the limit per payment fingerprint', () => {
  it('holds when 40 of 60 simultaneous shoppers use the same one, in two processes', async () => {
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

  it('is exceeded without the check in decide(), as the negative control shows', async () => {
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

  it('counts all three ways to buy together, and each sale separately', async () => {
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

  it('counts the units of a hold only until it is cancelled or lapses', async () => {
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

describe('the limit per address', () => {
  it('counts the address that a shopper calls from, and an IPv6 /64 network as one address', async () => {
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

  it('does not let shoppers state their own address key or payment fingerprint', async () => {
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

/** Sends a purchase from each of `count` shoppers at once, spread over the processes. */
function rush(
  apis: readonly TestApi[],
  count: number,
  bodyOf: (position: number) => Body,
): Promise<Answer[]> {
  return Promise.all(
    Array.from({ length: count }, (_, position) => {
      const api = apis[position % apis.length];
      if (!api) throw new Error('the test needs at least one API');
      return buy(api, '/api/purchase', { ...bodyOf(position), userId: `shopper ${position}` });
    }),
  );
}

const countOf = (answers: readonly Answer[], status: number) =>
  answers.filter(answer => answer.status === status).length;
