import { AsyncLocalStorage } from 'node:async_hooks';
import Stripe from 'stripe';
import type { Span } from '../platform/telemetry/tracing.js';
import { type Charge, type ChargeState, PaymentError, type PaymentProvider } from './provider.js';
import { stripeStepMinor, toStripeAmount } from './stripe-amounts.js';
import {
  declined,
  declinedMark,
  declineOf,
  type Intent,
  isAlreadyRefunded,
  isOpen,
  readEvent,
  readIntent,
  readRefund,
  readRefunds,
  reasonOf,
  type StripeRefund,
  stateInError,
  stateOf,
  toPaymentError,
} from './stripe-wire.js';

export type StripeProviderOptions = {
  secretKey: string;
  webhookSecret: string;
  /** An address other than Stripe's own, for tests. */
  apiBase?: string;
};

/**
 * Payments by Stripe: a PaymentIntent is created, then confirmed. No money moves before the second step. So to end a charge
 * whose outcome is not known, its intent is created again under the same key, which returns the first one, and canceled.
 * It does not matter whether the first call arrived.
 *
 * Stripe keeps idempotency keys for at least 24 hours. A charge must be settled by then: a later retry would be a second
 * charge.
 */
export function createStripeProvider(options: StripeProviderOptions): PaymentProvider {
  const { stripe, within } = createClient(options);
  const { create, confirm, endDeclined, end } = createIntentSteps(stripe);

  return {
    name: 'stripe',
    needsMethod: true,
    stepMinor: stripeStepMinor,
    async charge(charge, signal) {
      const { method, paymentId } = charge;
      return within({ signal, span: charge.span }, async () => {
        const intent = await create(charge);
        if (!isOpen(intent)) return stateOf(intent);
        const { id, last_payment_error: refusal } = intent;
        // The card was declined before, and the answer did not arrive or the intent was not ended.
        if (refusal) return endDeclined(id, reasonOf(refusal.message));
        return method === null
          ? endDeclined(id, 'no payment method was given')
          : confirm(id, paymentId, method);
      });
    },
    cancel: (charge, signal) =>
      within({ signal, span: charge.span }, async () => {
        const intent = await create(charge);
        return isOpen(intent) ? end(intent.id, 'requested_by_customer') : stateOf(intent);
      }),
    refund: ({ paymentId, reference }, signal) =>
      within({ signal }, async () => ({ reference: await refundOnce(stripe, paymentId, reference) })),
    readWebhook(rawBody, headers) {
      return readEvent(verify(stripe, rawBody, headers['stripe-signature'], options.webhookSecret));
    },
  };
}

function createIntentSteps(stripe: Stripe) {
  // No parameter may depend on how the shopper pays, because a cancel repeats this call with the same parameters.
  async function create({ paymentId, orderId, amountMinor, currency }: Charge): Promise<Intent> {
    const answer = await stripe.paymentIntents.create(
      {
        amount: toStripeAmount(amountMinor, currency),
        currency: currency.toLowerCase(),
        // Methods that redirect the shopper would need a page here to return to.
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
        metadata: { paymentId, orderId },
      },
      { idempotencyKey: paymentId },
    );
    const intent = readIntent(answer);
    // A repeated create gets the answer of the first, which may be outdated by now. The SDK's types declare the headers as
    // a plain object, but over fetch they are a Headers; this reads both.
    const isReplay = new Headers(answer.lastResponse.headers).get('idempotent-replayed') === 'true';
    return isReplay ? readIntent(await stripe.paymentIntents.retrieve(intent.id)) : intent;
  }

  async function confirm(id: string, paymentId: string, method: string): Promise<ChargeState> {
    try {
      const answer = await stripe.paymentIntents.confirm(
        id,
        { payment_method: method },
        { idempotencyKey: `${paymentId}:confirm` },
      );
      const intent = readIntent(answer);
      return isOpen(intent)
        ? endDeclined(id, 'the card requires authentication by its owner')
        : stateOf(intent);
    } catch (error) {
      const reason = declineOf(error);
      return reason === undefined ? stateInErrorOrThrow(error) : endDeclined(id, reason);
    }
  }

  // A declined intent stays open for another card. The charge ends only when the intent does.
  async function endDeclined(id: string, reason: string): Promise<ChargeState> {
    const ended = await end(id, declinedMark);
    const isOver = ended.status === 'canceled' || ended.status === 'declined';
    return isOver ? declined(id, reason) : ended;
  }

  // Without an idempotency key, because under a key Stripe repeats its first answer for a day, even a temporary refusal.
  async function end(
    id: string,
    reason: 'requested_by_customer' | typeof declinedMark,
  ): Promise<ChargeState> {
    try {
      return stateOf(readIntent(await stripe.paymentIntents.cancel(id, { cancellation_reason: reason })));
    } catch (error) {
      return stateInErrorOrThrow(error);
    }
  }

  return { create, confirm, endDeclined, end };
}

function stateInErrorOrThrow(error: unknown): ChargeState {
  const state = stateInError(error);
  if (state === undefined) throw error;
  return state;
}

async function refundOnce(stripe: Stripe, paymentId: string, intentId: string): Promise<string> {
  // Checks first: under a key Stripe repeats even a 500 for a day, although the refund was made.
  const made = readRefunds(await stripe.refunds.list({ payment_intent: intentId, limit: 100 }));
  const ours = made.find(({ metadata }) => metadata?.paymentId === paymentId);
  if (ours) return referenceOf(ours);
  try {
    const params = { payment_intent: intentId, metadata: { paymentId } };
    const refund = await stripe.refunds.create(params, { idempotencyKey: `${paymentId}:refund` });
    return referenceOf(readRefund(refund));
  } catch (error) {
    // An operator refunded the money by hand.
    const [byHand] = made;
    if (isAlreadyRefunded(error) && byHand) return referenceOf(byHand);
    throw error;
  }
}

function referenceOf({ id, status }: StripeRefund): string {
  if (status !== 'failed' && status !== 'canceled') return id;
  throw new PaymentError(
    'PROVIDER_REFUSED',
    `The refund ${id} did not reach the shopper and must be made by hand`,
  );
}

function verify(stripe: Stripe, rawBody: Buffer, signature: unknown, secret: string): unknown {
  try {
    return stripe.webhooks.constructEvent(rawBody, typeof signature === 'string' ? signature : '', secret);
  } catch (error) {
    throw new PaymentError('WEBHOOK_REFUSED', 'The webhook was not signed by Stripe, or not recently', error);
  }
}

// The outermost timeout: the signal of a call aborts it long before.
const sdkTimeoutMs = 30_000;

/** The context of a call of the SDK. */
type Call = { signal: AbortSignal; span?: Span | undefined };

/** The SDK takes no AbortSignal. Its calls find their signal in the asynchronous context, so they are really aborted. */
function createClient({ secretKey, apiBase }: StripeProviderOptions) {
  const calls = new AsyncLocalStorage<Call>();
  const httpClient = Stripe.createFetchHttpClient((url: string | URL | Request, init: RequestInit = {}) => {
    const { signal: ours, span } = calls.getStore() ?? {};
    const both = [ours, init.signal].filter(signal => signal instanceof AbortSignal);
    const headers = new Headers(init.headers);
    if (span) headers.set('traceparent', span.traceparent);
    // fetch sets this header itself. undici's own dispatcher, which each process of the engine uses, refuses a duplicate.
    headers.delete('content-length');
    return fetch(url, { ...init, headers, signal: AbortSignal.any(both) });
  });
  const stripe = new Stripe(secretKey, {
    httpClient,
    // Retries are made in one place, which knows the time budget of the whole call.
    maxNetworkRetries: 0,
    timeout: sdkTimeoutMs,
    telemetry: false,
    ...(apiBase === undefined ? {} : addressOf(apiBase)),
  });
  return {
    stripe,
    within: <T>(call: Call, work: () => Promise<T>): Promise<T> =>
      calls.run(call, work).catch(error => {
        throw toPaymentError(error, call.signal);
      }),
  };
}

function addressOf(apiBase: string) {
  const { protocol, hostname, port } = new URL(apiBase);
  const isPlain = protocol === 'http:';
  return {
    protocol: isPlain ? ('http' as const) : ('https' as const),
    host: hostname,
    port: port || (isPlain ? 80 : 443),
  };
}
