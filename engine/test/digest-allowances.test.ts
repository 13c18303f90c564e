import { describe, expect, it } from 'vitest';
import { createAccept } from '../src/ledger/accept.js';
import { createDecide } from '../src/ledger/decide.js';
import { expireHolds } from '../src/ledger/expire.js';
import type { Digests } from '../src/ledger/request-arrays.js';
import { createSettle } from '../src/ledger/settle.js';
import { orderIdOf } from '../src/orders/order-id.js';
import type { Pool } from '../src/platform/postgres.js';
import { brokenInvariants, expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { unitsByKind } from './support/digest-limits.js';
import { lapse } from './support/holds.js';
import { createTestSale } from './support/sale.js';

describe('the ledger', () => {
  const digests = { payment: 'p', address: null };

  it('counts queued orders and replayed dead letters against the payment limit when it decides them', async () => {
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
    'settles a late payment as $outcome when its card has bought $taken other units',
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
    { bug: 'the row of a card is missing', sql: 'delete from digest_allowances' },
    { bug: 'a card exceeds the limit', sql: 'update sales set per_payment_limit = 1' },
    { bug: 'an order has lost its payment digest', sql: 'update orders set payment_digest = null' },
    {
      bug: 'units are counted without an order',
      sql: `insert into digest_allowances select sale_id, 'payment', 'gone', 1 from sales`,
    },
  ])('fails its audit if $bug', async ({ sql }) => {
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

async function decideQueued(pool: Pool, saleId: number, shopperIds: readonly string[]): Promise<string[]> {
  const { decisions } = await createDecide(pool)(
    saleId,
    shopperIds.map(shopperId => ({
      orderId: orderIdOf(shopperId, 'k'),
      shopperId,
      quantity: 1,
      receivedAtMs: performance.now(),
      entrance: 'queued',
    })),
  );
  return decisions.map(({ outcome }) => outcome);
}

/** @returns a function that buys one unit directly and returns the id of the pending payment, or an empty string. */
function decideDirect(pool: Pool, saleId: number, digests: Digests) {
  return async (shopperId: string): Promise<string> => {
    const request = { orderId: orderIdOf(shopperId, 'k'), shopperId, quantity: 1, digests };
    const { decisions } = await createDecide(pool)(saleId, [{ ...request, receivedAtMs: performance.now() }]);
    const [decision] = decisions;
    if (!decision || !('order' in decision)) throw new Error(`not granted: ${decision?.outcome}`);
    return decision.outcome === 'reserved' ? (decision.paymentId ?? '') : '';
  };
}
