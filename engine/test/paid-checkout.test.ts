import { describe, expect, it } from 'vitest';
import { expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { lapse } from './support/holds.js';
import { startPaidShop } from './support/paid-shop.js';
import { createTestSale, stockOf } from './support/sale.js';
import { createShopper, heldBy } from './support/shopper.js';

describe('a code that requires payment', () => {
  it('is paid and charged once, however often and by however many callers it is sent', async () => {
    const { ann, shop, pool, productId, saleId } = await startShop();
    const { code, orderId } = heldBy(await ann.checkout(productId, { quantity: 2 }));

    const answers = await Promise.all(
      Array.from({ length: 5 }, () => ann.redeem(code, { key: 'k', paymentMethod: 'card' })),
    );
    const later = await ann.redeem(code, { key: 'k', paymentMethod: 'card' });

    for (const { status } of answers) expect([200, 202]).toContain(status);
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    expect(later).toMatchObject({ status: 200, body: { order: { id: orderId, status: 'CONFIRMED' } } });
    expect(later.headers.get('idempotency-replayed')).toBe('true');
    expect((await ann.redeem(code, { key: 'other' })).slug).toBe('code-used');
    expect(await shop.totals()).toMatchObject({ captured: 1, capturedMinor: 3998, refunded: 0 });
    expect((await stockOf(pool, saleId)).sold).toBe(2);
    await expectCleanAudit(pool);
  });

  it('stays held when the card is declined, and another card buys it; the key of that try owns the purchase', async () => {
    const { ann, shop, pool, productId, saleId } = await startShop();
    const { code, orderId } = heldBy(await ann.checkout(productId));

    const declined = await ann.redeem(code, { key: 'first', paymentMethod: 'declined' });
    expect(declined).toMatchObject({ status: 402, slug: 'payment-declined', body: { orderId } });
    expect((await stockOf(pool, saleId)).reserved).toBe(1);
    expect((await ann.redeem(code, { key: 'second', paymentMethod: 'card' })).status).toBe(200);

    const replayed = await ann.redeem(code, { key: 'second', paymentMethod: 'card' });
    expect(replayed).toMatchObject({ status: 200, body: { order: { status: 'CONFIRMED' } } });
    expect(replayed.headers.get('idempotency-replayed')).toBe('true');
    expect((await ann.redeem(code, { key: 'first' })).slug).toBe('code-used');
    expect(await shop.totals()).toMatchObject({ captured: 1, capturedMinor: 1999 });
    await expectCleanAudit(pool);
  });

  it('is declined for both callers when they send the same declined card at once', async () => {
    const { shop, pool, productId } = await startShop();
    for (let i = 0; i < 5; i++) {
      const shopper = createShopper(shop.api, `shopper-${i}`);
      const { code } = heldBy(await shopper.checkout(productId));
      const pay = () => shopper.redeem(code, { paymentMethod: 'declined' });
      const answers = await Promise.all([pay(), pay()]);
      expect(answers.map(({ slug }) => slug)).toEqual(['payment-declined', 'payment-declined']);
    }
    await expectCleanAudit(pool);
  });

  it('accepts no second card after its deadline if declined, and no card at all once cancelled', async () => {
    const { ann, shop, pool, productId, saleId } = await startShop();
    const lapsed = heldBy(await ann.checkout(productId));
    const cancelled = heldBy(await ann.checkout(productId));
    for (const { code } of [lapsed, cancelled]) {
      expect((await ann.redeem(code, { paymentMethod: 'declined' })).status).toBe(402);
    }
    await lapse(pool, saleId, [lapsed.orderId]);
    await ann.cancel(cancelled.orderId);

    expect((await ann.redeem(lapsed.code, { paymentMethod: 'card' })).slug).toBe('code-expired');
    expect((await ann.redeem(cancelled.code, { paymentMethod: 'card' })).slug).toBe('order-ended');
    expect(await shop.totals()).toMatchObject({ captured: 0 });
  });

  it('is confirmed without a payment if the price is zero', async () => {
    const { ann, shop, pool, productId } = await startShop(0);
    const { code } = heldBy(await ann.checkout(productId));

    expect((await ann.redeem(code)).status).toBe(200);
    expect((await ann.purchase(productId)).status).toBe(200);
    expect(await shop.totals()).toMatchObject({ captured: 0 });
    await expectCleanAudit(pool);
  });
});

/** A paid sale and an engine that serves shoppers, without a reconciler in the background. */
async function startShop(priceMinor = 1999) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool, { payment: 'required', priceMinor });
  const shop = await startPaidShop(url, { roles: ['api'] });
  return { ann: createShopper(shop.api, 'ann'), shop, pool, productId, saleId };
}
