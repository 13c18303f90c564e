import { addDeadLetter } from '../ledger/dead-letters.js';
import { type Payment, readPayment } from '../ledger/payments.js';
import type { OrderEvent, Settlement } from '../ledger/settle.js';
import { type Charge, type ChargeState, PaymentError } from '../payments/provider.js';
import type { Payments } from '../payments/resilient.js';
import { messageOf } from '../platform/errors.js';
import type { Queryable } from '../platform/postgres.js';
import type { Span } from '../platform/telemetry/tracing.js';
import type { BatchQueue } from './batch-queue.js';
import { isUndecided } from './undecided.js';

/** A payment to make, as recorded in the ledger. */
export type PaymentToMake = Charge & { saleId: number };

/** `pending`: the provider's outcome is not known; the reconciler keeps asking. */
type Paid = Settlement | { outcome: 'pending' };
/** `over`: the payment had already ended; its order shows how. */
type PaidById = Paid | { outcome: 'over' };

export type PayOptions = {
  db: Queryable;
  payments: Payments;
  settlements: BatchQueue<OrderEvent, Settlement>;
  onError: (error: unknown) => void;
};

/** The call to the provider about a payment, and what follows if the provider refuses it for good. */
type Way = {
  call: (charge: Charge) => Promise<ChargeState>;
  onRefused: (payment: PaymentToMake, error: PaymentError) => Promise<void>;
};

export type Pay = {
  /** Asks the provider to charge, and settles its answer; joins a call that is already in progress. Never throws. */
  charge(payment: PaymentToMake): Promise<Paid>;
  /** The same for a payment in the ledger, with its first method: a provider expects the same request for the same id. */
  chargeById(paymentId: string, span?: Span): Promise<PaidById>;
  /** Asks the provider to make sure that an abandoned payment is never captured, and settles its answer. */
  cancel(payment: PaymentToMake): Promise<Paid>;
};

/**
 * The saga of a payment: one transaction has recorded the payment, the provider is called outside any transaction, and a
 * second transaction settles its answer. If a process dies in between, the call can be repeated under the same id, and a
 * repeated settlement has no second effect.
 *
 * A process makes one call per payment at a time, and all callers meanwhile share its answer: otherwise a shopper who
 * presents one code many times would use up the calls of all shoppers. Several processes may call at once; the provider
 * recognises these calls by the payment's id (docs/decisions/0038).
 */
export function createPay({ db, payments, settlements, onError }: PayOptions): Pay {
  const charging: Way = { call: payments.charge, onRefused: giveUp };
  // The order has ended, so there are no units to free. The provider is asked until it is certain that no money was taken.
  const cancelling: Way = { call: payments.cancel, onRefused: async () => {} };
  // One entry per call in progress, so the bounds of `payments` bound it.
  const underWay = new Map<string, Promise<Paid>>();

  function askOnce(payment: PaymentToMake, way: Way): Promise<Paid> {
    const { paymentId } = payment;
    const asked = underWay.get(paymentId);
    if (asked) return asked;
    const asking = ask(payment, way).finally(() => underWay.delete(paymentId));
    underWay.set(paymentId, asking);
    return asking;
  }

  async function ask(payment: PaymentToMake, { call, onRefused }: Way): Promise<Paid> {
    try {
      const { saleId, ...charge } = payment;
      return await settle(saleId, eventOf(payment, await call(charge)), charge.span);
    } catch (error) {
      onError(error);
      if (error instanceof PaymentError && !error.retryable) await onRefused(payment, error).catch(onError);
      return { outcome: 'pending' };
    }
  }

  async function settle(
    saleId: number,
    event: OrderEvent | undefined,
    span: Span | undefined,
  ): Promise<Paid> {
    if (!event) return { outcome: 'pending' };
    const settled = await settlements.join(saleId, { ...event, span });
    return isUndecided(settled) ? { outcome: 'pending' } : settled;
  }

  // Only an operator can fix what the provider refuses; the compensator frees the units.
  async function giveUp({ saleId, orderId }: PaymentToMake, error: PaymentError): Promise<void> {
    const reason = 'payment-refused-by-provider';
    await addDeadLetter(db, {
      saleId,
      orderId,
      source: 'payment',
      reason,
      error: messageOf(error),
      deliveries: 1,
    });
  }

  return {
    charge: payment => askOnce(payment, charging),
    async chargeById(paymentId, span) {
      try {
        const asked = underWay.get(paymentId);
        if (asked) return await asked;
        const payment = await readPayment(db, paymentId);
        if (payment?.status !== 'PENDING') return { outcome: 'over' };
        return await askOnce({ ...paymentToMake(payment), span }, charging);
      } catch (error) {
        onError(error);
        return { outcome: 'pending' };
      }
    },
    cancel: payment => askOnce(payment, cancelling),
  };
}

export function paymentToMake(payment: Payment): PaymentToMake {
  const { paymentId, saleId, orderId, amountMinor, currency, method } = payment;
  return { paymentId, saleId, orderId, amountMinor, currency, method };
}

function eventOf({ orderId, paymentId }: PaymentToMake, state: ChargeState): OrderEvent | undefined {
  const { reference } = state;
  switch (state.status) {
    case 'captured':
      // A capture of zero is no capture; the provider is asked again.
      if (state.amountMinor <= 0) return undefined;
      return {
        event: 'captured',
        orderId,
        paymentId,
        amountMinor: state.amountMinor,
        currency: state.currency,
        reference: state.reference,
      };
    case 'declined':
      return { event: 'declined', orderId, paymentId, reference, reason: state.reason };
    case 'canceled':
      return { event: 'payment-canceled', orderId, paymentId, reference, reason: 'ended-at-the-provider' };
    case 'pending':
      return undefined;
  }
}
