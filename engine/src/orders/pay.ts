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

/** A payment to be made, as the ledger has written it down. */
export type PaymentToMake = Charge & { saleId: number };

/** `pending`: the provider's word is not known; the reconciler goes on asking. */
type Paid = Settlement | { outcome: 'pending' };
/** `over`: the payment had come to its end before; what that was, its order tells. */
type PaidById = Paid | { outcome: 'over' };

export type PayOptions = {
  db: Queryable;
  payments: Payments;
  settlements: BatchQueue<OrderEvent, Settlement>;
  onError: (error: unknown) => void;
};

/** What a provider is asked to do about a payment, and what follows where it refuses for good. */
type Way = {
  call: (charge: Charge) => Promise<ChargeState>;
  onRefused: (payment: PaymentToMake, error: PaymentError) => Promise<void>;
};

export type Pay = {
  /** Asks the provider to charge, and settles what it says, unless this process is asking already. Never throws. */
  charge(payment: PaymentToMake): Promise<Paid>;
  /** The same for a payment that the ledger knows, paid with what was said first: a provider wants one story an id. */
  chargeById(paymentId: string, span?: Span): Promise<PaidById>;
  /** Asks it to see to it that a payment which nobody waits for any more is never captured, and settles what it says. */
  cancel(payment: PaymentToMake): Promise<Paid>;
};

/**
 * The saga of a payment: the ledger has written down what is to be paid, the provider is asked outside of any
 * transaction, and its word is settled in a second one. Whatever dies in between, the first can be asked again under the
 * same id, and the second finds its work done.
 *
 * A process asks about one payment once at a time, and everybody who comes meanwhile gets that answer: otherwise a shopper
 * who presents one code many times would take up the calls of everybody. Of several processes each may ask, and the
 * provider tells those calls apart by the payment's id (docs/decisions/0038).
 */
export function createPay({ db, payments, settlements, onError }: PayOptions): Pay {
  const charging: Way = { call: payments.charge, onRefused: giveUp };
  // Its order has ended: there are no units to free, and it is asked again until it is known to have no money either.
  const cancelling: Way = { call: payments.cancel, onRefused: async () => {} };
  // One entry a call under way: the bounds of `payments` are its bounds.
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

  // Nobody but an operator can mend what the provider refuses to understand; the compensator frees the units.
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
      // A capture of nothing is none; who says so is asked again.
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
