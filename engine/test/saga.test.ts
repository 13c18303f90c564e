import { describe, expect, it } from 'vitest';
import { serviceHeaders } from './support/api.js';
import {
  buy,
  checkOut,
  expectBooksAgree,
  letHoldsLapse,
  letPaymentsBeDue,
  orderIdIn,
  type PaidSale,
  paymentStepsOf,
  startPaidSale,
  startProxiedSale,
  stepsOf,
  untilOrderIs,
  untilSettled,
} from './support/paid-orders.js';
import { stockOf } from './support/sale.js';

describe.each(['lost', 'garbled', 'hang'] as const)('an answer of the provider that is %s', mode => {
  it('leaves the order pending, then becomes one charge for it, for retries with the key as well', async () => {
    const shop = await startPaidSale();
    const { api, pool, productId } = shop;
    await shop.behave({ mode });
    const purchase = { productId, userId: 'a', key: 'k' };
    const first = await buy(api, purchase);
    expect(first).toMatchObject({ status: 202, body: { order: { status: 'RESERVED' } } });
    expect(await shop.totals()).toMatchObject({ captured: 1 });
    const meanwhile = await buy(api, purchase);
    expect(meanwhile).toMatchObject({ status: 202, body: { order: { id: orderIdIn(first) } } });

    await shop.behave({ mode: 'ok' });
    await letPaymentsBeDue(pool);
    await untilOrderIs(pool, orderIdIn(first), 'CONFIRMED', 20_000);

    const afterwards = await buy(api, purchase);
    expect(afterwards).toMatchObject({ status: 200, body: { order: { id: orderIdIn(first) } } });
    expect(afterwards.headers.get('idempotency-replayed')).toBe('true');
    expect(await shop.totals()).toMatchObject({ captured: 1, refunded: 0 });
    expect(await paymentStepsOf(pool, orderIdIn(first))).toEqual(['PENDING', 'CAPTURED']);
    await expectBooksAgree(shop);
  });

  it('is awaited by every caller that presents the code again', async () => {
    const shop = await startPaidSale();
    const { api, pool, productId } = shop;
    const { code, order } = await checkOut(api, { productId, userId: 'a' });
    await shop.behave({ mode });
    expect((await buy(api, { userId: 'a', code, key: 'k' })).status).toBe(202);

    await shop.behave({ mode: 'ok' });
    expect(await buy(api, { userId: 'a', code, key: 'k' })).toMatchObject({ status: 200 });
    const again = await buy(api, { userId: 'a', code, key: 'k' });
    expect(again).toMatchObject({ status: 200, body: { order: { id: order.id } } });
    expect(await buy(api, { userId: 'a', code })).toMatchObject({ status: 409, slug: 'code-used' });
    expect(await shop.totals()).toMatchObject({ captured: 1, refunded: 0 });
    expect(await paymentStepsOf(pool, order.id)).toEqual(['PENDING', 'CAPTURED']);
    await expectBooksAgree(shop);
  });
});

describe('a declined payment', () => {
  it('of a direct purchase is 402, and units and allowance are returned before the answer', async () => {
    const shop = await startPaidSale({ allocation: 1, perUserLimit: 1 });
    const { api, pool, productId, saleId } = shop;
    const declined = await buy(api, { productId, userId: 'a', paymentMethod: 'declined' });
    expect(declined).toMatchObject({ status: 402, slug: 'payment-declined' });
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 1, reserved: 0, sold: 0 });
    expect(await stepsOf(pool, orderIdIn(declined))).toEqual(['RESERVED', 'CANCELLED payment-declined']);
    expect((await buy(api, { productId, userId: 'a', paymentMethod: 'card' })).status).toBe(200);
    expect(await shop.totals()).toMatchObject({ captured: 1 });
    await expectBooksAgree(shop);
  });

  it('behind a code is 402 and keeps the hold, and another method succeeds', async () => {
    const shop = await startPaidSale({ allocation: 1 });
    const { api, pool, productId, saleId } = shop;
    const { code, order } = await checkOut(api, { productId, userId: 'a' });
    const declined = await buy(api, { userId: 'a', code, paymentMethod: 'declined' });
    expect(declined).toMatchObject({ status: 402, slug: 'payment-declined' });
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 0, reserved: 1, sold: 0 });
    expect((await buy(api, { userId: 'a', code, paymentMethod: 'card' })).status).toBe(200);
    expect(await stepsOf(pool, order.id)).toEqual(['RESERVED', 'CONFIRMED']);
    expect(await paymentStepsOf(pool, order.id)).toEqual([
      'PENDING',
      'DECLINED insufficient funds',
      'PENDING',
      'CAPTURED',
    ]);
    await expectBooksAgree(shop);
  });

  it('is reported to every caller that presents the code at once', async () => {
    const shop = await startPaidSale();
    const { api, pool, productId } = shop;
    const { code, order } = await checkOut(api, { productId, userId: 'a' });
    await shop.behave({ latencyMs: 300 });
    const present = { userId: 'a', code, paymentMethod: 'declined', key: 'k' };
    const answers = await Promise.all([1, 2, 3].map(() => buy(api, present)));
    expect(answers.map(({ status }) => status)).toEqual([402, 402, 402]);
    expect(await paymentStepsOf(pool, order.id)).toEqual(['PENDING', 'DECLINED insufficient funds']);
  });
});

describe('a capture whose answer was lost', () => {
  it('is refunded once if the order was cancelled meanwhile; the order is REFUNDED with the reason', async () => {
    const shop = await startPaidSale({ allocation: 1 });
    const { api, pool } = shop;
    const orderId = await buyUnheard(shop, 'a');
    const cancelled = await api.request('DELETE', `/api/orders/${orderId}`, {
      headers: { ...serviceHeaders, 'x-user-id': 'a' },
    });
    expect(cancelled.status).toBe(200);
    expect(await stockOf(pool, shop.saleId)).toMatchObject({ available: 1 });

    await letProviderAnswer(shop);
    expect(await stepsOf(pool, orderId)).toEqual([
      'RESERVED',
      'CANCELLED cancelled-by-shopper',
      'REFUNDED paid-after-cancelled',
    ]);
    await expectRefundedOnce(shop, orderId, 'paid-after-cancelled');
  });

  it('still buys the order of a lapsed hold while units are left: CONFIRMED late-payment', async () => {
    const shop = await startPaidSale({ allocation: 1, perUserLimit: 1 });
    const orderId = await buyUnheard(shop, 'a');
    await lapse(shop, orderId);

    await letProviderAnswer(shop);
    const steps = ['RESERVED', 'EXPIRED hold-lapsed', 'CONFIRMED late-payment'];
    expect(await stepsOf(shop.pool, orderId)).toEqual(steps);
    expect(await shop.totals()).toMatchObject({ captured: 1, refunded: 0 });
    expect(await stockOf(shop.pool, shop.saleId)).toMatchObject({ available: 0, reserved: 0, sold: 1 });
    await expectBooksAgree(shop);
  });

  it.each([
    { why: 'another shopper holds the last unit', nextBuyer: 'b', reason: 'late-payment-sold-out', units: 1 },
    {
      why: 'the shopper holds another one, up to the limit',
      nextBuyer: 'a',
      reason: 'late-payment-limit-reached',
      units: 2,
    },
  ])('is refunded once for a lapsed hold when $why: $reason', async ({ nextBuyer, reason, units }) => {
    const shop = await startPaidSale({ allocation: units, perUserLimit: 1 });
    const orderId = await buyUnheard(shop, 'a');
    await lapse(shop, orderId);
    await checkOut(shop.api, { productId: shop.productId, userId: nextBuyer });

    await letProviderAnswer(shop);
    const steps = ['RESERVED', 'EXPIRED hold-lapsed', `REFUNDED ${reason}`];
    expect(await stepsOf(shop.pool, orderId)).toEqual(steps);
    await expectRefundedOnce(shop, orderId, reason);
  });
});

describe('a capture of the wrong amount', () => {
  it.each([1998, 2000])(
    '(%d for 1999) never confirms the order; all of it is refunded, once',
    async taken => {
      const shop = await startProxiedSale();
      const { api, pool, productId, proxy } = shop;
      proxy.rewrite(({ body }) => JSON.stringify({ ...JSON.parse(body), amountMinor: taken }));

      const refused = await buy(api, { productId, userId: 'a' });
      expect(refused).toMatchObject({ status: 409, slug: 'order-ended', body: { reason: 'wrong-amount' } });
      const orderId = orderIdIn(refused);
      await untilOrderIs(pool, orderId, 'REFUNDED');
      expect(await stepsOf(pool, orderId)).toEqual([
        'RESERVED',
        'CANCELLED wrong-amount',
        'REFUNDED wrong-amount',
      ]);
      expect(await shop.totals()).toMatchObject({ capturedMinor: taken, refunded: 1, refundedMinor: taken });
      await expectBooksAgree(shop);
    },
  );
});

/** Buys while the provider captures and its answer is lost. */
async function buyUnheard({ api, behave, productId }: PaidSale, userId: string): Promise<string> {
  await behave({ mode: 'lost' });
  const answer = await buy(api, { productId, userId });
  expect(answer.status).toBe(202);
  return orderIdIn(answer);
}

async function lapse({ pool }: PaidSale, orderId: string): Promise<void> {
  await letHoldsLapse(pool);
  await untilOrderIs(pool, orderId, 'EXPIRED');
}

async function letProviderAnswer({ behave, pool }: PaidSale): Promise<void> {
  await behave({ mode: 'ok' });
  await letPaymentsBeDue(pool);
  await untilSettled(pool);
}

async function expectRefundedOnce(shop: PaidSale, orderId: string, reason: string): Promise<void> {
  const steps = ['PENDING', `REFUND_DUE ${reason}`, `REFUNDED ${reason}`];
  expect(await paymentStepsOf(shop.pool, orderId)).toEqual(steps);
  expect(await shop.totals()).toMatchObject({ refunded: 1, refundedMinor: 1999 });
  await expectBooksAgree(shop);
}
