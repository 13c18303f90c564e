import { OperatingError } from '../platform/errors.js';
import type { Span } from '../platform/telemetry/tracing.js';

/** Characters of a payment method. Providers name theirs in far fewer, and this much fits a line of the log. */
export const methodLengthMax = 255;

/** A charge to make. `method` names how the shopper pays, in the provider's own words; null leaves it to the provider. */
export type Charge = {
  paymentId: string;
  orderId: string;
  amountMinor: number;
  currency: string;
  method: string | null;
  /** On whose behalf it is made, where traces are kept; no part of the charge. */
  span?: Span | undefined;
};

/** What became of a charge. `reference` is the provider's name for it; all but `pending` are for ever. */
export type ChargeState =
  | { status: 'captured'; reference: string; amountMinor: number; currency: string }
  | { status: 'declined'; reference: string | null; reason: string }
  /** Ended without money. */
  | { status: 'canceled'; reference: string | null }
  /** The provider itself is still working. */
  | { status: 'pending'; reference: string | null };

/** The whole amount of a captured charge, given back; `reference` is the charge's. */
export type Refund = { paymentId: string; reference: string; amountMinor: number };

export type PaymentEvent = { paymentId: string; charge: ChargeState };

/**
 * What Doorbuster asks of a payment provider. Each call may be sent again after any failure, by any process, and has one
 * effect. Calls throw PaymentError; after a retryable one the outcome is not known.
 */
export type PaymentProvider = {
  name: string;
  /** Whether it can charge nothing without `method`; such a purchase is refused before anything is reserved. */
  needsMethod: boolean;
  /** It charges only multiples of this many minor units of the currency. */
  stepMinor(currency: string): number;
  /** Idempotent by paymentId: sent again, it gives what became of the first. */
  charge(charge: Charge, signal: AbortSignal): Promise<ChargeState>;
  /**
   * Ends a charge whose outcome is not known: afterwards it can never be captured. `captured` if the money was taken
   * already. Also right when the charge never reached the provider: one that arrives later is refused as canceled.
   */
  cancel(charge: Charge, signal: AbortSignal): Promise<ChargeState>;
  /** The whole amount, at most once. */
  refund(refund: Refund, signal: AbortSignal): Promise<{ reference: string }>;
  /**
   * @returns undefined for an event that is none of ours.
   * @throws PaymentError WEBHOOK_REFUSED for no, a bad or an old signature.
   */
  readWebhook(
    rawBody: Buffer,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): PaymentEvent | undefined;
};

/** The SDK's tolerance of Stripe, and ours for the sandbox: whoever records an event cannot replay it later. */
export const webhookAgeMaxSeconds = 300;

// `isFault`: the provider itself is in trouble, which counts for the breaker that all payments share. What a caller can
// bring about by what it asks, or by how often, never does.
const codes = {
  PROVIDER_UNREACHABLE: {
    retryable: true,
    isFault: true,
    remedy: 'Check the network and the address of the payment provider',
  },
  PROVIDER_TIMEOUT: {
    retryable: true,
    isFault: true,
    remedy: "Look at the payment provider's status page if this goes on",
  },
  PROVIDER_BUSY: {
    retryable: true,
    isFault: true,
    remedy: "Look at the payment provider's status page if this goes on",
  },
  PROVIDER_THROTTLED: {
    retryable: true,
    isFault: false,
    remedy: "Compare the account's rate limit with PAYMENT_IN_FLIGHT_MAX if this goes on",
  },
  PROVIDER_GARBLED: {
    retryable: true,
    isFault: true,
    remedy: 'Check that the address is that of the payment provider and not of something before it',
  },
  PROVIDER_UNAVAILABLE: {
    retryable: true,
    isFault: false,
    remedy: 'Nothing was sent; try again in a few seconds',
  },
  PROVIDER_REFUSED: {
    retryable: false,
    isFault: false,
    remedy: 'Check the keys and settings for the payment provider; trying again does not help',
  },
  WEBHOOK_REFUSED: {
    retryable: false,
    isFault: false,
    remedy: "Check the webhook secret, this machine's clock, and that nothing rewrites the body on its way",
  },
} as const;

export type PaymentErrorCode = keyof typeof codes;

/** A call to the provider that failed, or a webhook that is not believed. */
export class PaymentError extends OperatingError {
  declare readonly code: PaymentErrorCode;
  readonly isFault: boolean;

  constructor(code: PaymentErrorCode, message: string, cause?: unknown) {
    const { remedy, retryable, isFault } = codes[code];
    super(code, message, remedy, { cause, retryable });
    this.isFault = isFault;
  }
}
