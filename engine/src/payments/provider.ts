import { OperatingError } from '../platform/errors.js';
import type { Span } from '../platform/telemetry/tracing.js';

/** Maximum characters of a payment method. Providers use far fewer, and this still fits a log line. */
export const methodLengthMax = 255;

/** A charge to make. `method` is the provider's name for how the shopper pays; null leaves it to the provider. */
export type Charge = {
  paymentId: string;
  orderId: string;
  amountMinor: number;
  currency: string;
  method: string | null;
  /** The span of the request, if tracing is on; not part of the charge. */
  span?: Span | undefined;
};

/** The state of a charge. `reference` is the provider's name for it; all states except `pending` are final. */
export type ChargeState =
  | { status: 'captured'; reference: string; amountMinor: number; currency: string }
  | { status: 'declined'; reference: string | null; reason: string }
  /** Ended without taking money. */
  | { status: 'canceled'; reference: string | null }
  /** The provider is still processing it. */
  | { status: 'pending'; reference: string | null };

/** A refund of the whole amount of a captured charge; `reference` is the charge's. */
export type Refund = { paymentId: string; reference: string; amountMinor: number };

export type PaymentEvent = { paymentId: string; charge: ChargeState };

/**
 * What Doorbuster requires of a payment provider. Each call may be retried after any failure, by any process, and has one
 * effect. Calls throw PaymentError; after a retryable one the outcome is not known.
 */
export type PaymentProvider = {
  name: string;
  /** Whether it cannot charge without `method`; a purchase without one is then refused before anything is reserved. */
  needsMethod: boolean;
  /** It charges only multiples of this many minor units of the currency. */
  stepMinor(currency: string): number;
  /** Idempotent by paymentId: a retry returns the state of the first charge. */
  charge(charge: Charge, signal: AbortSignal): Promise<ChargeState>;
  /**
   * Ends a charge whose outcome is not known: afterwards it can never be captured. Returns `captured` if the money was
   * already taken. Also works if the charge never reached the provider: if it arrives later, it is refused as canceled.
   */
  cancel(charge: Charge, signal: AbortSignal): Promise<ChargeState>;
  /** Refunds the whole amount, at most once. */
  refund(refund: Refund, signal: AbortSignal): Promise<{ reference: string }>;
  /**
   * @returns undefined for an event that does not concern a charge of this engine.
   * @throws PaymentError WEBHOOK_REFUSED for a missing, bad or old signature.
   */
  readWebhook(
    rawBody: Buffer,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): PaymentEvent | undefined;
};

/** The tolerance of Stripe's SDK, and ours for the sandbox: an attacker who records an event cannot replay it later. */
export const webhookAgeMaxSeconds = 300;

// `isFault`: the provider itself is in trouble, which counts for the breaker that all payments share. Failures that a caller
// can cause by its requests, or by their rate, never count.
const codes = {
  PROVIDER_UNREACHABLE: {
    retryable: true,
    isFault: true,
    remedy: 'Check the network and the address of the payment provider',
  },
  PROVIDER_TIMEOUT: {
    retryable: true,
    isFault: true,
    remedy: "Check the payment provider's status page if this continues",
  },
  PROVIDER_BUSY: {
    retryable: true,
    isFault: true,
    remedy: "Check the payment provider's status page if this continues",
  },
  PROVIDER_THROTTLED: {
    retryable: true,
    isFault: false,
    remedy: "Compare the account's rate limit with PAYMENT_IN_FLIGHT_MAX if this continues",
  },
  PROVIDER_GARBLED: {
    retryable: true,
    isFault: true,
    remedy: 'Check that the address leads to the payment provider and not to something in front of it',
  },
  PROVIDER_UNAVAILABLE: {
    retryable: true,
    isFault: false,
    remedy: 'Nothing was sent; try again in a few seconds',
  },
  PROVIDER_REFUSED: {
    retryable: false,
    isFault: false,
    remedy: 'Check the keys and settings for the payment provider; a retry does not help',
  },
  WEBHOOK_REFUSED: {
    retryable: false,
    isFault: false,
    remedy: "Check the webhook secret, this machine's clock, and that no proxy rewrites the body",
  },
} as const;

export type PaymentErrorCode = keyof typeof codes;

/** A failed call to the provider, or a webhook that is not authentic. */
export class PaymentError extends OperatingError {
  declare readonly code: PaymentErrorCode;
  readonly isFault: boolean;

  constructor(code: PaymentErrorCode, message: string, cause?: unknown) {
    const { remedy, retryable, isFault } = codes[code];
    super(code, message, remedy, { cause, retryable });
    this.isFault = isFault;
  }
}
