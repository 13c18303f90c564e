import { describe, expect, it } from 'vitest';
import { expireHolds, findSalesWithLapsedHolds } from '../src/ledger/expire.js';
import { type Answer, startTestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { lapse } from './support/holds.js';
import { createTestSale, type SaleOptions, stockOf } from './support/sale.js';
import { createShopper, heldBy } from './support/shopper.js';

describe('a checkout', () => {
  it('holds its units behind a code for the hold time of the sale, and the code buys them', async () => {
    const { api, pool, productId, saleId } = await startShop({ allocation: 5, holdTtlSeconds: 600 });
    const ann = createShopper(api, 'ann');

    const answer = await ann.checkout(productId, { quantity: 2 });

    expect(answer.body).toMatchObject({
      success: true,
      order: { productId, quantity: 2, status: 'RESERVED', remainingStock: 3, reason: null },
    });
    const { code, expiresAt, createdAt, orderId } = heldBy(answer);
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(600_000);
    expect(answer.headers.get('location')).toBe(`/api/orders/${orderId}`);
    const stock = (await api.request('GET', `/api/stock/${productId}`)).body;
    expect(stock).toMatchObject({ stock: 3, reserved: 2, sold: 0, allocation: 5 });
    const bought = await ann.redeem(code);
    expect(bought).toMatchObject({ status: 200, body: { order: { id: orderId, status: 'CONFIRMED' } } });
    expect(bought.headers.get('idempotency-replayed')).toBeNull();
    expect(await stockOf(pool, saleId)).toEqual({ allocation: 5, available: 3, reserved: 0, sold: 2 });
    expect((await ann.read(orderId)).body).toMatchObject({ status: 'CONFIRMED', quantity: 2 });
    await expectCleanAudit(pool);
  });

  it('gives a code that buys once: the same key gets a replay, any other gets code-used', async () => {
    const { api, pool, productId } = await startShop();
    const ann = createShopper(api, 'ann');
    const { code, orderId } = heldBy(await ann.checkout(productId));
    expect((await ann.redeem(code, { key: 'k' })).status).toBe(200);

    const again = await ann.redeem(code, { key: 'k' });

    expect(again).toMatchObject({ status: 200, body: { order: { id: orderId } } });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    for (const intent of [{ key: 'other' }, {}]) {
      const used = await ann.redeem(code, intent);
      expect(used).toMatchObject({ status: 409, slug: 'code-used', body: { orderId } });
    }
    await expectCleanAudit(pool);
  });

  it('holds once and gives the same code when sent twice with its key, even at the same time', async () => {
    const { api, pool, productId, saleId } = await startShop();
    const ann = createShopper(api, 'ann');

    const both = await Promise.all([1, 2].map(() => ann.checkout(productId, { key: 'k' })));
    const later = await ann.checkout(productId, { key: 'k' });

    expect(new Set([...both, later].map(answer => heldBy(answer).code)).size).toBe(1);
    expect(both.map(replayedOf).sort()).toEqual([null, 'true']);
    expect(replayedOf(later)).toBe('true');
    expect((await stockOf(pool, saleId)).reserved).toBe(1);
    const other = await ann.checkout(productId, { key: 'k', quantity: 2 });
    expect(other).toMatchObject({ status: 422, slug: 'idempotency-key-reused' });
  });

  it('never shares an order with a purchase or a queued order that uses its key at the same moment', async () => {
    const { api, pool, productId } = await startShop({ perUserLimit: 100 });
    const ann = createShopper(api, 'ann');
    for (let i = 0; i < 20; i++) {
      const intent = { key: `k${i}` };
      const answers = await Promise.all([
        ann.purchase(productId, intent),
        ann.checkout(productId, intent),
        ann.order(productId, intent),
      ]);
      const slugs = answers.map(({ slug }) => slug ?? 'granted').sort();
      expect(slugs).toEqual(['granted', 'idempotency-key-reused', 'idempotency-key-reused']);
    }
    await expectCleanAudit(pool);
  });

  it('whose order has ended reports the end when sent again', async () => {
    const { api, pool, productId, saleId } = await startShop();
    const ann = createShopper(api, 'ann');
    const hold = async (key: string) => heldBy(await ann.checkout(productId, { key }));
    const [bought, cancelled, lapsed] = [await hold('bought'), await hold('cancelled'), await hold('lapsed')];
    await ann.redeem(bought.code);
    await ann.cancel(cancelled.orderId);
    await lapse(pool, saleId, [lapsed.orderId]);
    await expireHolds(pool, saleId, 10);

    expect(heldBy(await ann.checkout(productId, { key: 'bought' }))).toEqual(bought);
    expect(await ann.checkout(productId, { key: 'cancelled' })).toMatchObject({
      status: 409,
      slug: 'order-ended',
      body: { orderStatus: 'CANCELLED', reason: 'cancelled-by-shopper' },
    });
    expect(await ann.checkout(productId, { key: 'lapsed' })).toMatchObject({
      status: 410,
      slug: 'code-expired',
    });
  });

  it('is refused before the sale opens, and takes nothing', async () => {
    const { api, pool, productId, saleId } = await startShop({ startsInMs: 60_000 });

    expect(await createShopper(api, 'ann').checkout(productId)).toMatchObject({
      status: 409,
      slug: 'sale-not-open',
    });
    expect((await stockOf(pool, saleId)).reserved).toBe(0);
  });

  it('stays valid if its sale is paused or ends meanwhile', async () => {
    const { api, pool, productId, saleId } = await startShop();
    const ann = createShopper(api, 'ann');
    const codes = [heldBy(await ann.checkout(productId)).code, heldBy(await ann.checkout(productId)).code];

    for (const [position, change] of ['pause', 'end'].entries()) {
      await api.asOperator('POST', `/api/admin/sales/${saleId}/${change}`);
      expect((await ann.redeem(codes[position] ?? '')).status).toBe(200);
      expect((await ann.checkout(productId)).slug).toBe('sale-not-open');
    }
    await expectCleanAudit(pool);
  });
});

describe('a code', () => {
  it("that is forged or another shopper's is not found: 404, and the hold is untouched", async () => {
    const { api, pool, productId, saleId } = await startShop();
    const [ann, bob] = [createShopper(api, 'ann'), createShopper(api, 'bob')];
    const { code } = heldBy(await ann.checkout(productId));
    const swapped = code.startsWith('A') ? `B${code.slice(1)}` : `A${code.slice(1)}`;
    const cut = code.slice(0, -1);
    const otherEnd = code.endsWith('A') ? 'E' : 'A';

    for (const refused of [
      await bob.redeem(code),
      await ann.redeem(swapped),
      await ann.redeem(cut),
      await ann.redeem(`${cut}${otherEnd}`),
      await ann.redeem(code.toLowerCase()),
    ]) {
      expect(refused).toMatchObject({ status: 404, slug: 'code-not-found' });
    }
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 99, reserved: 1, sold: 0 });
    expect((await ann.redeem(code)).status).toBe(200);
  });

  it('gets 410 from its deadline on, both before and after its units return to stock', async () => {
    const { api, pool, productId, saleId } = await startShop({ allocation: 2, perUserLimit: 2 });
    const ann = createShopper(api, 'ann');
    const { code, orderId } = heldBy(await ann.checkout(productId, { quantity: 2 }));
    expect((await expireHolds(pool, saleId, 10)).expired).toBe(0);
    await lapse(pool, saleId, [orderId]);

    expect(await ann.redeem(code)).toMatchObject({ status: 410, slug: 'code-expired', body: { orderId } });
    expect((await stockOf(pool, saleId)).reserved).toBe(2);
    expect(await findSalesWithLapsedHolds(pool, [], 10)).toEqual([saleId]);
    expect((await expireHolds(pool, saleId, 10)).expired).toBe(1);
    expect(await findSalesWithLapsedHolds(pool, [], 10)).toEqual([]);
    expect(await ann.redeem(code)).toMatchObject({ status: 410, slug: 'code-expired', body: { orderId } });
    expect((await ann.read(orderId)).body).toMatchObject({ status: 'EXPIRED', reason: 'hold-lapsed' });
    expect(await stockOf(pool, saleId)).toEqual({ allocation: 2, available: 2, reserved: 0, sold: 0 });
    await until('the API has been notified', async () => (await ann.checkout(productId)).status === 201);
    await expectCleanAudit(pool);
  });
});

describe('lapsed holds', () => {
  it('return their units: those of 20 shoppers go to 20 others, each once, and the first get 410', async () => {
    const { api, pool, productId, saleId } = await startShop(
      { allocation: 20, perUserLimit: 1, holdTtlSeconds: 1 },
      ['api', 'scheduler'],
    );
    const crowd = (name: string) => Array.from({ length: 20 }, (_, i) => createShopper(api, `${name}-${i}`));
    const late = crowd('late');
    const codes = await Promise.all(
      late.map(async shopper => heldBy(await shopper.checkout(productId)).code),
    );

    const buyers = crowd('buyer').map((shopper, i) => {
      const intent = { key: `k${i}` };
      const buy = async () => (await shopper.purchase(productId, intent)).status === 200;
      return until('units have returned', buy, 15_000);
    });
    await Promise.all(buyers);

    expect(await stockOf(pool, saleId)).toEqual({ allocation: 20, available: 0, reserved: 0, sold: 20 });
    const tooLate = await Promise.all(late.map((shopper, i) => shopper.redeem(codes[i] ?? '')));
    expect(tooLate.map(({ slug }) => slug)).toEqual(late.map(() => 'code-expired'));
    expect((await createShopper(api, 'one more').purchase(productId)).slug).toBe('sold-out');
    await expectCleanAudit(pool);
  });

  it("count against their buyer's limit only until they lapse", async () => {
    const { api, pool, productId, saleId } = await startShop({ perUserLimit: 2 });
    const ann = createShopper(api, 'ann');
    const { orderId } = heldBy(await ann.checkout(productId));
    expect((await ann.purchase(productId)).status).toBe(200);

    for (const refused of [await ann.checkout(productId), await ann.purchase(productId)]) {
      expect(refused).toMatchObject({ status: 409, slug: 'limit-reached' });
    }
    await lapse(pool, saleId, [orderId]);
    await expireHolds(pool, saleId, 10);

    expect((await ann.checkout(productId)).status).toBe(201);
    expect((await ann.checkout(productId)).slug).toBe('limit-reached');
    await expectCleanAudit(pool);
  });
});

async function startShop(sale: SaleOptions = {}, roles: readonly ('api' | 'scheduler')[] = ['api']) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool, sale);
  return { api: await startTestApi(url, {}, { roles }), pool, productId, saleId };
}

function replayedOf({ headers }: Answer): string | null {
  return headers.get('idempotency-replayed');
}
