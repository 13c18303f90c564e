import { fractionDigits } from '../platform/currencies.js';
import { PaymentError } from './provider.js';

// docs.stripe.com/currencies: zero-decimal currencies and special cases, where Stripe's digits differ from ISO 4217.
const digitsAtStripe: Partial<Record<string, number>> = { ISK: 2, UGX: 2, MGA: 0 };

/**
 * Converts `amountMinor` to the unit in which Stripe counts this currency.
 *
 * @throws PaymentError PROVIDER_REFUSED for an amount that Stripe cannot charge
 */
export function toStripeAmount(amountMinor: number, currency: string): number {
  const stepMinor = stripeStepMinor(currency);
  if (amountMinor % stepMinor !== 0) {
    throw new PaymentError(
      'PROVIDER_REFUSED',
      `Stripe charges ${currency} in multiples of ${stepMinor} minor units`,
    );
  }
  return Math.round(amountMinor * 10 ** shift(currency));
}

export function fromStripeAmount(amount: number, currency: string): number {
  return Math.round(amount * 10 ** -shift(currency));
}

/** Stripe charges only multiples of this many minor units: in currencies with three digits, the last one must be 0. */
export function stripeStepMinor(currency: string): number {
  return fractionDigits(currency) === 3 ? 10 : 10 ** Math.max(0, -shift(currency));
}

function shift(currency: string): number {
  const digits = fractionDigits(currency);
  return (digitsAtStripe[currency] ?? digits) - digits;
}
