import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createDecide } from '../src/ledger/decide.js';
import { createSettle } from '../src/ledger/settle.js';
import { currencies, fractionDigits } from '../src/platform/currencies.js';
import { serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { startStripeRig } from './support/payment-rigs.js';
import { createTestSale } from './support/sale.js';
import { createShopper } from './support/shopper.js';
import { unitsAtStripe } from './support/stripe-account.js';
import { startStripeShop } from './support/stripe-shop.js';

const card = 'pm_card_visa';

describe('a product', () => {
  it('can be sold in any current currency', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url);
    const statuses = await Promise.all(
      [...currencies].map(currency => create(api, { currency, priceMinor: 1000 })),
    );
    expect(statuses).toEqual(Array(currencies.size).fill(201));
    expect(currencies.size).toBeGreaterThan(150);
  });

  it.each(['XXX', 'XTS', 'BTC', 'XAU', 'CHW', 'HRK', 'BGN', 'ZZZ', 'eur', ''])(
    'cannot be sold in "%s", which no shopper can pay with',
    async currency => {
      const { url, pool } = await createTestDatabase();
      const api = await startTestApi(url);
      const { productId } = await createTestSale(pool);
      expect(await create(api, { currency, priceMinor: 1000 })).toBe(400);
      expect((await api.asOperator('PATCH', `/api/admin/products/${productId}`, { currency })).status).toBe(
        400,
      );
    },
  );

  it('is refused if the payment provider cannot charge its price, and so is a sale of it', async () => {
    const { url, pool } = await createTestDatabase();
    const { api } = await startStripeShop(url);
    expect(await create(api, { currency: 'KWD', priceMinor: 1990 })).toBe(201);
    expect(await create(api, { currency: 'KWD', priceMinor: 1999 })).toBe(400);
    expect(await create(api, { currency: 'MGA', priceMinor: 1050 })).toBe(400);

    const { productId } = await createTestSale(pool);
    const path = `/api/admin/products/${productId}`;
    expect((await api.asOperator('PATCH', path, { currency: 'KWD' })).status).toBe(400);
    expect((await api.asOperator('PATCH', path, { currency: 'KWD', priceMinor: 1990 })).status).toBe(200);

    // A product created before the provider changed.
    const former = await createTestSale(pool, { endsInMs: 60_000 });
    // This process remembers the product as it was before another process changed it.
    await api.request('GET', `/api/stock/${former.productId}`);
    await pool.query(`update products set currency = 'KWD' where product_id = $1`, [former.productId]);
    const [startsAt, endsAt] = [1, 2].map(hours => new Date(Date.now() + hours * 3_600_000).toISOString());
    const sale = { productId: former.productId, startsAt, endsAt, allocation: 1, perUserLimit: 1 };
    const paid = { ...sale, payment: 'required' };
    expect((await api.asOperator('POST', '/api/admin/sales', paid)).status).toBe(400);
    expect((await api.asOperator('POST', '/api/admin/sales', sale)).status).toBe(201);
    const change = async (body: object) =>
      (await api.asOperator('PATCH', `/api/admin/products/${former.productId}`, body)).status;
    expect(await change({ priceMinor: 2001 })).toBe(400);
    expect(await change({ name: 'Another name' })).toBe(200);
  });
});

describe('Stripe', () => {
  it('charges the intended amount in each currency, and reports it', async () => {
    const { provider, double } = await startStripeRig();
    for (const currency of currencies) {
      const units = 120;
      const amountMinor = units * 10 ** fractionDigits(currency);
      const charge = { paymentId: randomUUID(), orderId: randomUUID(), amountMinor, currency, method: card };
      const state = await provider.charge(charge, AbortSignal.timeout(5000));
      expect(state).toMatchObject({ status: 'captured', amountMinor, currency });
      const intent = double.intents().at(-1);
      expect(intent && [intent.currency, unitsAtStripe(intent)]).toEqual([currency.toLowerCase(), units]);
    }
  });

  it('accepts its smallest amount, and refuses a fraction of it', async () => {
    const { provider } = await startStripeRig();
    for (const currency of currencies) {
      const amountMinor = provider.stepMinor(currency);
      const charge = () => ({ paymentId: randomUUID(), orderId: randomUUID(), currency, method: card });
      const never = AbortSignal.timeout(5000);
      expect(await provider.charge({ ...charge(), amountMinor }, never)).toMatchObject({ amountMinor });
      if (amountMinor === 1) continue;
      const half = provider.charge({ ...charge(), amountMinor: amountMinor / 2 }, never);
      await expect(half).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
    }
  });
});

describe('a sale', () => {
  it('is charged and shown in its own currency after its product changes to another', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool, { payment: 'required' });
    const { api, double } = await startStripeShop(url);
    const ann = createShopper(api, 'ann');
    const held = await ann.checkout(productId);
    const change = { currency: 'KWD', priceMinor: 5000 };
    expect((await api.asOperator('PATCH', `/api/admin/products/${productId}`, change)).status).toBe(200);

    const shown = { currency: 'EUR', totalPriceMinor: 1999, totalPrice: 19.99 };
    const key = randomUUID();
    const buy = () => ann.purchase(productId, { key, paymentMethod: card });
    expect((await buy()).body.order).toMatchObject({ status: 'CONFIRMED', ...shown });
    expect((await buy()).body.order).toMatchObject({ status: 'CONFIRMED', ...shown });
    const redeemed = await ann.redeem(String(held.body.code), { paymentMethod: card });
    expect(redeemed.body.order).toMatchObject({ status: 'CONFIRMED', ...shown });
    const headers = { ...serviceHeaders, 'x-user-id': 'ann' };
    const { orders } = (await api.request('GET', '/api/orders', { headers })).body;
    expect(orders).toEqual([expect.objectContaining(shown), expect.objectContaining(shown)]);

    expect(double.intents().map(({ amount, currency }) => `${amount} ${currency}`)).toEqual(
      Array(2).fill('1999 eur'),
    );
    const { rows } = await pool.query('select currency, captured_currency from payments where sale_id = $1', [
      saleId,
    ]);
    expect(rows).toEqual(Array(2).fill({ currency: 'EUR', captured_currency: 'EUR' }));
    await expectCleanAudit(pool);
  });
});

describe('a capture', () => {
  it('of the right amount in another currency confirms nothing, and is refunded', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { payment: 'required' });
    const orderId = randomUUID();
    const request = { orderId, shopperId: 'a', quantity: 1, receivedAtMs: performance.now() };
    const [decided] = (await createDecide(pool)(saleId, [request])).decisions;
    const paymentId = decided && 'paymentId' in decided ? decided.paymentId : null;
    if (paymentId === null) throw new Error(`nothing to pay: ${decided?.outcome}`);
    const captured = { event: 'captured', orderId, paymentId, amountMinor: 1999, reference: 'r' } as const;

    const [settled] = (await createSettle(pool)(saleId, [{ ...captured, currency: 'KWD' }])).decisions;

    expect(settled).toMatchObject({ outcome: 'refund-due', order: { status: 'CANCELLED' } });
    const { rows } = await pool.query('select status, reason, captured_currency from payments');
    expect(rows).toEqual([{ status: 'REFUND_DUE', reason: 'wrong-currency', captured_currency: 'KWD' }]);
    await expectCleanAudit(pool);
  });
});

async function create(api: TestApi, product: { currency: string; priceMinor: number }): Promise<number> {
  return (await api.asOperator('POST', '/api/admin/products', { name: 'Lamp', ...product })).status;
}
