import { fractionDigits } from '../ledger/currencies.js';
import { PaymentError } from './provider.js';

// docs.stripe.com/currencies: zero-decimal currencies and special cases. Where Stripe counts in other digits than ISO 4217.
const digitsAtStripe: Partial<Record<string, number>> = { ISK: 2, UGX: 2, MGA: 0 };

/**
 * What Stripe is asked for: `amountMinor` of ours in the unit that Stripe counts this currency in.
 *
 * @throws PaymentError PROVIDER_REFUSED for what Stripe cannot charge
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

/** Stripe charges only multiples of this many minor units: of currencies with three digits the last one has to be 0. */
export function stripeStepMinor(currency: string): number {
  return fractionDigits(currency) === 3 ? 10 : 10 ** Math.max(0, -shift(currency));
}

function shift(currency: string): number {
  const digits = fractionDigits(currency);
  return (digitsAtStripe[currency] ?? digits) - digits;
}
