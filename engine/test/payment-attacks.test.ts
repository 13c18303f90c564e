import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Pool } from '../src/platform/postgres.js';
import { expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { scrape, seriesValue } from './support/metrics.js';
import { stepsOf, untilOrderIs } from './support/paid-orders.js';
import { createTestSale, stockOf } from './support/sale.js';
import { createShopper, heldBy } from './support/shopper.js';
import { startStripeShop } from './support/stripe-shop.js';

const declinedCard = 'pm_card_visa_chargeDeclinedInsufficientFunds';

describe('a shopper who presents one code many times at once', () => {
  it('causes one call to the provider at a time, gets one answer, and stops no other shopper from paying', async () => {
    const { mallory, honest, double, breakerIsClosed } = await startShop();
    double.answerAfter(100);
    const { code } = heldBy(await mallory.checkout());
    const codes = await Promise.all(honest.map(async buyer => heldBy(await buyer.checkout()).code));

    // A wave for each honest buyer: with one call per request, five refusals in a row would be certain.
    for (const [position, buyer] of honest.entries()) {
      const wave = Array.from({ length: 30 }, () => mallory.pay(code, declinedCard));
      const paid = await buyer.pay(codes[position], 'pm_card_visa');
      expect(paid).toMatchObject({ status: 200, body: { order: { status: 'CONFIRMED' } } });
      const answers = await Promise.all(wave);
      expect(new Set(answers.map(({ slug }) => slug))).toEqual(new Set(['payment-declined']));
    }

    expect(double.conflicts()).toBe(0);
    expect(await breakerIsClosed()).toBe(true);
    expect(double.totals().captured).toBe(honest.length);
  });
});

describe('a shopper whose payments are declined', () => {
  it('gets five tries in a sale, across all codes and direct purchases, and then cannot buy; others still can', async () => {
    const { mallory, honest, double, pool } = await startShop();
    const { code } = heldBy(await mallory.checkout());
    const other = heldBy(await mallory.checkout());
    for (let tries = 0; tries < 3; tries++) {
      expect((await mallory.pay(code, declinedCard)).slug).toBe('payment-declined');
    }
    for (let tries = 0; tries < 2; tries++) {
      expect((await mallory.buy(declinedCard)).slug).toBe('payment-declined');
    }

    const refused = [
      await mallory.pay(code, declinedCard),
      // A valid card is refused too: such an attack wants to find out which cards work.
      await mallory.pay(other.code, 'pm_card_visa'),
      await mallory.buy('pm_card_visa'),
      await mallory.checkout(),
    ];
    expect(refused.map(({ status, slug }) => `${status} ${slug}`)).toEqual(
      Array(4).fill('409 decline-limit-reached'),
    );
    expect(await mallory.queue('pm_card_visa', pool)).toBe('REJECTED decline-limit-reached');
    expect(double.intents()).toHaveLength(5);
    for (const buyer of honest) expect((await buyer.buy('pm_card_visa')).status).toBe(200);
    await expectCleanAudit(pool);
  });

  it('is also subject to the rate limit for redemptions', async () => {
    const { mallory, double } = await startShop({ RATE_LIMIT_USER_MAX: '2', RATE_LIMIT_SERVICE: 'true' });
    const { code } = heldBy(await mallory.checkout());
    const answers = [];
    for (let tries = 0; tries < 4; tries++) answers.push(await mallory.pay(code, declinedCard));
    expect(answers.map(({ slug }) => slug)).toEqual([
      ...Array(2).fill('payment-declined'),
      ...Array(2).fill('rate-limited'),
    ]);
    expect(answers[3]?.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(double.intents()).toHaveLength(2);
  });
});

describe('a bad payment method', () => {
  it('is refused, holds no units, and leaves no dead letter', async () => {
    const { mallory, honest, pool, saleId } = await startShop();
    const [ann] = honest;
    const { code } = heldBy(await mallory.checkout());
    const other = heldBy(await ann.checkout());
    const before = await stockOf(pool, saleId);
    const methods = [
      [undefined, '400 payment-method-required'],
      ['p'.repeat(256), '400 invalid'],
      ['pm_kärte', '400 invalid'],
      ['p'.repeat(255), '402 payment-declined'],
      ['pm_nobody_knows', '402 payment-declined'],
      ['pm_of_another_customer', '402 payment-declined'],
    ] as const;

    for (const [method, refusal] of methods) {
      const answers = [await mallory.buy(method), await ann.pay(other.code, method)];
      expect(answers.map(({ status, slug }) => `${status} ${slug}`)).toEqual([refusal, refusal]);
      expect(await stockOf(pool, saleId)).toMatchObject(before);
    }
    expect(await mallory.queue(undefined, pool)).toBe('400 payment-method-required');

    expect((await pool.query(`select from orders where entrance = 'queued'`)).rows).toEqual([]);
    expect((await pool.query('select from dead_letters')).rows).toEqual([]);
    expect((await mallory.pay(code, 'pm_card_visa')).status).toBe(200);
    await expectCleanAudit(pool);
  });
});

async function startShop(env: Record<string, string> = {}) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool, { payment: 'required' });
  const { api, double } = await startStripeShop(url, env);
  const createBuyer = (name: string) => {
    const shopper = createShopper(api, name);
    return {
      checkout: () => shopper.checkout(productId),
      buy: (paymentMethod?: string) => shopper.purchase(productId, intentOf(paymentMethod)),
      pay: (code = '', paymentMethod?: string) => shopper.redeem(code, intentOf(paymentMethod)),
      /** The outcome of a queued order. */
      async queue(paymentMethod: string | undefined, pool: Pool): Promise<string> {
        const { status, slug, body } = await shopper.order(productId, intentOf(paymentMethod));
        if (status !== 202) return `${status} ${slug}`;
        const orderId = String(body.order_id);
        await untilOrderIs(pool, orderId, 'REJECTED');
        return (await stepsOf(pool, orderId)).at(-1) ?? '';
      },
    };
  };
  return {
    pool,
    saleId,
    double,
    mallory: createBuyer('mallory'),
    honest: [createBuyer('ann'), createBuyer('bob')] as const,
    async breakerIsClosed() {
      const series = 'doorbuster_breaker_state{breaker="payments",state="closed"}';
      return seriesValue(await scrape(api.metricsUrl), series) === 1;
    },
  };
}

function intentOf(paymentMethod: string | undefined) {
  return { key: randomUUID(), ...(paymentMethod !== undefined && { paymentMethod }) };
}
