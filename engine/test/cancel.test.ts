import { describe, expect, it } from 'vitest';
import { startTestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale, type SaleOptions, stockOf } from './support/sale.js';
import { createShopper, heldBy } from './support/shopper.js';

describe('DELETE /api/orders/:id', () => {
  it("returns a hold's units and its buyer's allowance at once, and its code buys nothing more", async () => {
    const { ann, pool, productId, saleId } = await startShop({ allocation: 2, perUserLimit: 2 });
    const { code, orderId } = heldBy(await ann.checkout(productId, { quantity: 2 }));

    const cancelled = await ann.cancel(orderId);

    expect(cancelled).toMatchObject({
      status: 200,
      body: { id: orderId, status: 'CANCELLED', reason: 'cancelled-by-shopper', remainingStock: 2 },
    });
    expect(await stockOf(pool, saleId)).toEqual({ allocation: 2, available: 2, reserved: 0, sold: 0 });
    expect(await ann.redeem(code)).toMatchObject({
      status: 409,
      slug: 'order-ended',
      body: { orderId, orderStatus: 'CANCELLED', reason: 'cancelled-by-shopper' },
    });
    expect((await ann.purchase(productId, { quantity: 2 })).status).toBe(200);
    await expectCleanAudit(pool);
  });

  it('cancels once when sent twice, even at the same time', async () => {
    const { ann, pool, productId, saleId } = await startShop();
    const { orderId } = heldBy(await ann.checkout(productId));

    const answers = await Promise.all([ann.cancel(orderId), ann.cancel(orderId)]);
    answers.push(await ann.cancel(orderId));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const replays = answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true');
    expect(replays).toHaveLength(2);
    expect((await stockOf(pool, saleId)).available).toBe(100);
    await expectCleanAudit(pool);
  });

  it('takes an order out of the queue', async () => {
    const { ann, pool, productId } = await startShop();
    const answer = await ann.order(productId);
    expect(answer).toMatchObject({ status: 202, body: { status: 'QUEUED' } });
    const orderId = String(answer.body.order_id);

    expect((await ann.cancel(orderId)).body).toMatchObject({ status: 'CANCELLED' });
    expect((await ann.read(orderId)).body).toMatchObject({ status: 'CANCELLED' });
    await expectCleanAudit(pool);
  });

  it('refuses to cancel a bought order, however it was bought', async () => {
    const { ann, pool, productId, saleId } = await startShop();
    const { code, orderId } = heldBy(await ann.checkout(productId));
    await ann.redeem(code);
    const bought = await ann.purchase(productId);

    for (const id of [orderId, String(bought.body.order?.id)]) {
      expect(await ann.cancel(id)).toMatchObject({
        status: 409,
        slug: 'order-confirmed',
        body: { orderId: id },
      });
    }
    expect((await stockOf(pool, saleId)).sold).toBe(2);
  });

  it("answers 404 for another shopper's order and for one that never existed, and the hold remains", async () => {
    const { ann, bob, pool, productId, saleId } = await startShop();
    const { orderId } = heldBy(await ann.checkout(productId));

    for (const refused of [
      await bob.cancel(orderId),
      await ann.cancel('00000000-0000-8000-8000-000000000000'),
    ]) {
      expect(refused).toMatchObject({ status: 404, slug: 'order-not-found' });
    }
    expect((await stockOf(pool, saleId)).reserved).toBe(1);
  });
});

async function startShop(sale: SaleOptions = {}) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool, sale);
  const api = await startTestApi(url);
  return { ann: createShopper(api, 'ann'), bob: createShopper(api, 'bob'), pool, productId, saleId };
}
