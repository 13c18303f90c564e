import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createDecide } from '../src/ledger/decide.js';
import { takeDuePayments } from '../src/ledger/payments.js';
import { createSettle, type OrderEvent, type Settlement } from '../src/ledger/settle.js';
import { createBatchQueue } from '../src/orders/batch-queue.js';
import { createPay } from '../src/orders/pay.js';
import { createReconcile } from '../src/orders/reconcile.js';
import { type Charge, type ChargeState, PaymentError } from '../src/payments/provider.js';
import type { Payments } from '../src/payments/resilient.js';
import { runOnce } from '../src/platform/jobs/run-jobs.js';
import type { Pool } from '../src/platform/postgres.js';
import { expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { letPaymentsBeDue } from './support/paid-orders.js';
import { createUnwatched } from './support/queue-options.js';
import { createTestSale } from './support/sale.js';

// As in reconcile.ts.
const paymentsPerRoundMax = 50;

describe('reconcilers', () => {
  it('that run at once ask about each payment once, and settle all of them', async () => {
    const { pool, saleId } = await sellUnpaid(2 * paymentsPerRoundMax);
    const provider = createProvider();
    const reconcilers = [1, 2].map(() => createReconciler(pool, provider.payments));

    const settled = await Promise.all(reconcilers.map(reconcile => reconcile()));

    expect(settled).toEqual([paymentsPerRoundMax, paymentsPerRoundMax]);
    expect(provider.charged).toHaveLength(2 * paymentsPerRoundMax);
    expect(new Set(provider.charged).size).toBe(2 * paymentsPerRoundMax);
    const { rows } = await pool.query(`select from orders where sale_id = $1 and status = 'CONFIRMED'`, [
      saleId,
    ]);
    expect(rows).toHaveLength(2 * paymentsPerRoundMax);
    await expectCleanAudit(pool);
  });

  it('ask about 50 payments a round, and leave the next one to the next round', async () => {
    const { pool } = await sellUnpaid(paymentsPerRoundMax + 1);
    const provider = createProvider();
    const reconcile = createReconciler(pool, provider.payments);

    expect(await reconcile()).toBe(paymentsPerRoundMax);
    expect(provider.charged).toHaveLength(paymentsPerRoundMax);
    expect(await reconcile()).toBe(1);
    expect(await reconcile()).toBe(0);
  });

  it('would ask twice if the one that takes a payment did not postpone it for the others', async () => {
    const { pool } = await sellUnpaid(1);
    expect(await takeDuePayments(pool, [], 10, 0)).toHaveLength(1);
    expect(await takeDuePayments(pool, [], 10, 10_000)).toHaveLength(1);
    expect(await takeDuePayments(pool, [], 10, 10_000)).toHaveLength(0);
  });

  it('leave a payment whose reconciler died to another 10 s later', async () => {
    const { pool } = await sellUnpaid(1);
    const { payments } = createProvider(() => new Promise(() => {}));
    void createReconciler(pool, payments)();
    await expect.poll(() => dueInMs(pool)).toBeGreaterThan(5_000);
    expect(await dueInMs(pool)).toBeLessThanOrEqual(10_000);
  });

  it('back off each time the provider fails, for 15 s at most', async () => {
    const { pool } = await sellUnpaid(1);
    const fail = () => Promise.reject(new PaymentError('PROVIDER_BUSY', 'The provider answered 503'));
    const reconcile = createReconciler(pool, createProvider(fail).payments);
    for (const ceilingMs of [2000, 4000, 8000, 15_000, 15_000]) {
      await letPaymentsBeDue(pool);
      expect(await reconcile()).toBe(0);
      const waitMs = await dueInMs(pool);
      // At least half of the ceiling; a second of it may have passed since, on a busy machine.
      expect(waitMs).toBeGreaterThan(ceilingMs / 2 - 1000);
      expect(waitMs).toBeLessThanOrEqual(ceilingMs);
    }
  });
});

async function sellUnpaid(count: number): Promise<{ pool: Pool; saleId: number }> {
  const { pool } = await createTestDatabase();
  const { saleId } = await createTestSale(pool, { allocation: count, payment: 'required' });
  const purchases = Array.from({ length: count }, (_, shopper) => ({
    orderId: randomUUID(),
    shopperId: `shopper-${shopper}`,
    quantity: 1,
    receivedAtMs: performance.now(),
  }));
  await createDecide(pool)(saleId, purchases);
  await letPaymentsBeDue(pool);
  return { pool, saleId };
}

/** A provider that records each charge, and captures it unless told otherwise. */
function createProvider(answer: (charge: Charge) => Promise<ChargeState> = capture) {
  const charged: string[] = [];
  const charge = (wanted: Charge) => {
    charged.push(wanted.paymentId);
    return answer(wanted);
  };
  const payments: Payments = {
    charge,
    cancel: charge,
    refund: () => Promise.reject(new Error('this test refunds nothing')),
    readWebhook: () => undefined,
    needsMethod: false,
    stepMinor: () => 1,
    breakerState: () => 'closed',
  };
  return { charged, payments };
}

async function capture({ amountMinor }: Charge): Promise<ChargeState> {
  return { status: 'captured', reference: 'r', amountMinor, currency: 'EUR' };
}

function createReconciler(pool: Pool, payments: Payments): () => Promise<number> {
  const onError = () => {};
  const settlements = createBatchQueue<OrderEvent, Settlement>({
    decide: createSettle(pool),
    ...createUnwatched(),
    deadlineMs: 5000,
    queueMax: 1000,
    batchMax: 500,
  });
  const pay = createPay({ db: pool, payments, settlements, onError });
  const reconcile = createReconcile({ pool, pay, payments, settlements, onError });
  return async () => (await runOnce(reconcile)).count;
}

async function dueInMs(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ ms: number }>(
    `select extract(epoch from due_at - clock_timestamp())::float8 * 1000 as ms from payments`,
  );
  return rows[0]?.ms ?? Number.NaN;
}
