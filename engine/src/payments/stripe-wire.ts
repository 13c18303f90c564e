import Stripe from 'stripe';
import { z } from 'zod';
import { messageOf } from '../platform/errors.js';
import { type ChargeState, PaymentError, type PaymentErrorCode, type PaymentEvent } from './provider.js';
import { fromStripeAmount } from './stripe-amounts.js';

// Parses Stripe's answers into Doorbuster's types. The SDK's types describe answers, but it does not check them.

const intentSchema = z.object({
  id: z.string().min(1),
  status: z.string().min(1),
  amount_received: z.int().min(0),
  currency: z.string().length(3).toUpperCase(),
  metadata: z.record(z.string(), z.string()),
  cancellation_reason: z.string().nullable(),
  last_payment_error: z.object({ message: z.string().optional() }).nullable(),
});
export type Intent = z.output<typeof intentSchema>;

const refundSchema = z.object({
  id: z.string().min(1),
  status: z.string().nullable(),
  metadata: z.record(z.string(), z.string()).nullable(),
});
export type StripeRefund = z.output<typeof refundSchema>;

/** Marks an intent that the engine canceled because its card was declined. */
export const declinedMark = 'abandoned';

/** @throws PaymentError PROVIDER_GARBLED */
export const readIntent = (value: unknown): Intent => read(value, intentSchema);
export const readRefund = (value: unknown): StripeRefund => read(value, refundSchema);
export const readRefunds = (value: unknown): StripeRefund[] =>
  read(value, z.object({ data: z.array(refundSchema) })).data;

/** Whether confirming the intent could still take money. */
export function isOpen({ status }: Intent): boolean {
  return status.startsWith('requires_');
}

export function stateOf(intent: Intent): ChargeState {
  const { id: reference, status, currency, last_payment_error: error } = intent;
  if (status === 'succeeded') {
    const amountMinor = fromStripeAmount(intent.amount_received, currency);
    return { status: 'captured', reference, amountMinor, currency };
  }
  if (status !== 'canceled') return { status: 'pending', reference };
  const isDeclined = error !== null || intent.cancellation_reason === declinedMark;
  if (!isDeclined) return { status: 'canceled', reference };
  return { status: 'declined', reference, reason: reasonOf(error?.message) };
}

/** @returns undefined for an event that says nothing about a charge of this engine. */
export function readEvent(event: unknown): PaymentEvent | undefined {
  const parsed = z.object({ type: z.string(), data: z.object({ object: intentSchema }) }).safeParse(event);
  if (!parsed.success) return undefined;
  const { type, data } = parsed.data;
  const { object: intent } = data;
  const paymentId = intent.metadata.paymentId;
  if (paymentId === undefined) return undefined;
  switch (type) {
    case 'payment_intent.succeeded':
    case 'payment_intent.canceled':
      return { paymentId, charge: stateOf(intent) };
    // The intent is still open, but only the engine could confirm it, and under the same key Stripe would decline it again.
    case 'payment_intent.payment_failed':
      return { paymentId, charge: declined(intent.id, intent.last_payment_error?.message) };
    default:
      return undefined;
  }
}

export function declined(reference: string, message: string | undefined): ChargeState {
  return { status: 'declined', reference, reason: reasonOf(message) };
}

/**
 * Why Stripe refused to confirm an intent because of its payment method. A method that Stripe does not know, or that cannot
 * pay this intent, counts like a declined card: it comes from the shopper and is the only content of a confirmation, so the
 * operator's settings cannot be at fault.
 */
export function declineOf(error: unknown): string | undefined {
  const { StripeCardError, StripeInvalidRequestError } = Stripe.errors;
  const isRefused = error instanceof StripeCardError || error instanceof StripeInvalidRequestError;
  return isRefused && stateInError(error) === undefined ? reasonOf(error.message) : undefined;
}

/** The state in an error: an intent that has ended cannot be confirmed or canceled, and Stripe's error contains it. */
export function stateInError(error: unknown): ChargeState | undefined {
  if (!(error instanceof Stripe.errors.StripeError) || error.payment_intent === undefined) return undefined;
  const intent = readIntent(error.payment_intent);
  return isOpen(intent) ? undefined : stateOf(intent);
}

export function isAlreadyRefunded(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.code === 'charge_already_refunded';
}

export function toPaymentError(error: unknown, signal: AbortSignal): PaymentError {
  if (error instanceof PaymentError) return error;
  if (signal.aborted) return new PaymentError('PROVIDER_TIMEOUT', 'Stripe took too long', error);
  if (error instanceof Stripe.errors.StripeConnectionError) {
    return new PaymentError('PROVIDER_UNREACHABLE', 'Stripe did not answer', error);
  }
  const status = error instanceof Stripe.errors.StripeError ? error.statusCode : undefined;
  // The SDK reports no status for an answer that is not JSON, and fails on JSON that is not an object.
  if (status === undefined)
    return new PaymentError('PROVIDER_GARBLED', "Stripe's answer cannot be read", error);
  const isThrottled = error instanceof Stripe.errors.StripeRateLimitError;
  return new PaymentError(
    isThrottled ? 'PROVIDER_THROTTLED' : codeOfStatus(status),
    `Stripe answered ${status} (${messageOf(error).slice(0, 200)})`,
    error,
  );
}

function codeOfStatus(status: number): PaymentErrorCode {
  if (status >= 500) return 'PROVIDER_BUSY';
  // The first call with this key is still in progress.
  return status === 409 ? 'PROVIDER_THROTTLED' : 'PROVIDER_REFUSED';
}

function read<T>(value: unknown, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new PaymentError('PROVIDER_GARBLED', "Stripe's answer cannot be read", parsed.error);
}

export function reasonOf(message: string | undefined): string {
  return (message || 'the card was declined').slice(0, 200);
}
