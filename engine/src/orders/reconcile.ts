import { addDeadLetter } from '../ledger/dead-letters.js';
import { type DuePayment, postponePayment, takeDuePayments } from '../ledger/payments.js';
import type { OrderEvent, Settlement } from '../ledger/settle.js';
import { PaymentError } from '../payments/provider.js';
import type { Payments } from '../payments/resilient.js';
import { messageOf } from '../platform/errors.js';
import { eachItem } from '../platform/jobs/each-item.js';
import type { Run } from '../platform/jobs/job.js';
import type { Pool } from '../platform/postgres.js';
import type { BatchQueue } from './batch-queue.js';
import { type Pay, paymentToMake } from './pay.js';

export type ReconcileOptions = {
  pool: Pool;
  pay: Pay;
  payments: Payments;
  settlements: BatchQueue<OrderEvent, Settlement>;
  onError: (error: unknown) => void;
};

// Concurrent calls: at a provider's usual 200 ms about 250 a second, and below the limit of calls to the provider.
const paymentsPerRoundMax = 50;
// Longer than any call takes, so that no other process takes the same payment meanwhile.
const takenForMs = 10_000;
const backoffMaxMs = 15_000;

/**
 * Asks the provider about payments whose outcome is not known: their request gave up, their process died, or their webhook
 * never came. If the hold still exists, it is charged under the same id as before. If it has ended, the payment is
 * cancelled, or a late capture is settled. Due refunds are made.
 */
export function createReconcile(options: ReconcileOptions): Run {
  return eachItem({
    kind: 'payment',
    keyOf: ({ paymentId }: DuePayment) => paymentId,
    find: (except, limit) => takeDuePayments(options.pool, except, limit, takenForMs),
    roundMax: paymentsPerRoundMax,
    atOnceMax: paymentsPerRoundMax,
    async work(payment) {
      if (await settle(options, payment)) return 1;
      await postpone(options, payment);
      return 0;
    },
  });
}

/** @returns whether the payment has ended. */
async function settle(options: ReconcileOptions, payment: DuePayment): Promise<boolean> {
  if (payment.status === 'REFUND_DUE') return refund(options, payment);
  const toMake = paymentToMake(payment);
  const paid = await (payment.isHeld ? options.pay.charge(toMake) : options.pay.cancel(toMake));
  return paid.outcome !== 'pending';
}

async function refund(options: ReconcileOptions, payment: DuePayment): Promise<boolean> {
  const { paymentId, saleId, orderId, reference, capturedMinor } = payment;
  try {
    if (reference === null) throw new Error(`payment ${paymentId} was captured without a reference`);
    await options.payments.refund({ paymentId, reference, amountMinor: capturedMinor });
    const { outcome } = await options.settlements.join(saleId, { event: 'refunded', orderId, paymentId });
    return outcome === 'refunded' || outcome === 'replayed';
  } catch (error) {
    options.onError(error);
    if (!(error instanceof PaymentError) || error.retryable) return false;
    // A retry does not help; the letter stays open until an operator replays it or pays by other means. It is written
    // first: if the process dies in between, the payment is retried instead of being forgotten.
    const reason = 'refund-refused-by-provider';
    await addDeadLetter(options.pool, {
      saleId,
      orderId,
      source: 'refund',
      reason,
      error: messageOf(error),
      deliveries: payment.tries,
    });
    await postponePayment(options.pool, paymentId, null);
    return true;
  }
}

function postpone({ pool }: ReconcileOptions, { paymentId, tries }: DuePayment): Promise<void> {
  const ceilingMs = Math.min(1000 * 2 ** Math.min(tries, 10), backoffMaxMs);
  // At least half of it, so that a provider that is down is not asked about the same payment again at once.
  return postponePayment(pool, paymentId, ceilingMs / 2 + (Math.random() * ceilingMs) / 2);
}
