import { type BreakerState, createBreaker } from '../platform/breaker.js';
import { messageOf } from '../platform/errors.js';
import { type Hook, withHooks } from '../platform/hooks.js';
import type { Span } from '../platform/telemetry/tracing.js';
import { createPlaces } from './places.js';
import type { Charge, ChargeState, PaymentProvider, Refund } from './provider.js';
import { createSendUntilAnswered, isFault, type Send, timedOut, unavailable } from './send-until-answered.js';

export type Payments = {
  charge(charge: Charge): Promise<ChargeState>;
  cancel(charge: Charge): Promise<ChargeState>;
  refund(refund: Refund): Promise<{ reference: string }>;
  readWebhook: PaymentProvider['readWebhook'];
  needsMethod: boolean;
  stepMinor: PaymentProvider['stepMinor'];
  /** For display only: an open breaker turns half-open at the next call, not by itself. */
  breakerState(): BreakerState;
};

/** One call to the provider, about to be sent; `span` is the span it belongs to, if traces are kept. */
type ProviderCall = {
  name: 'charge' | 'cancel' | 'refund';
  paymentId: string;
  span?: Span | undefined;
};

export type PaymentHook = Hook<ProviderCall, ChargeState | { reference: string }>;

export type ResilientPaymentsOptions = {
  provider: PaymentProvider;
  /** Called for each call to the provider, retries included. */
  hooks?: readonly PaymentHook[];
  /** Of one call to the provider. */
  timeoutMs: number;
  /** Of all tries together. */
  budgetMs: number;
  /** Consecutive failures that open the breaker, and how long it stays open before it allows one call as a probe. */
  breaker: { failuresMax: number; openMs: number };
  /** Calls in flight; further calls wait, within their budget. */
  inFlightMax: number;
  /** Waiting calls; one more is refused. */
  waitingMax?: number;
  /** Must not throw. */
  onBreaker: (state: BreakerState, reason: string | undefined) => void;
};

/**
 * Gives a provider a timeout, retries, a circuit breaker and a bound on payments in flight. Every call settles within
 * `budgetMs`, even if the provider hangs and ignores its signal.
 *
 * PROVIDER_UNAVAILABLE means that nothing of this call was sent. After any other retryable error the outcome is unknown.
 */
export function createResilientPayments({
  provider,
  hooks = [],
  timeoutMs,
  budgetMs,
  breaker: { failuresMax, openMs },
  inFlightMax,
  // A batch of paid purchases is decided at once. Within a second a provider that answers in 100 ms completes 2,000.
  waitingMax = 2000,
  onBreaker,
}: ResilientPaymentsOptions): Payments {
  const breaker = createBreaker({
    failuresMax,
    openMs,
    isFailure: isFault,
    refusal: () => unavailable('has failed several times in a row'),
    onMove: (state, error) => onBreaker(state, error === undefined ? undefined : messageOf(error)),
  });
  const sendUntilAnswered = createSendUntilAnswered({ breaker, timeoutMs, budgetMs });
  const places = createPlaces(inFlightMax, waitingMax);

  async function call<T>(send: Send<T>): Promise<T> {
    const endsAtMs = performance.now() + budgetMs;
    const place = await places.take(budgetMs);
    if (place === 'full') throw unavailable(`has ${inFlightMax} calls under way and ${waitingMax} waiting`);
    if (place === 'late') throw timedOut(budgetMs);
    try {
      return await sendUntilAnswered(send, endsAtMs);
    } finally {
      places.free();
    }
  }

  const ask = (name: 'charge' | 'cancel', charge: Charge) =>
    call(signal =>
      withHooks(hooks, { name, paymentId: charge.paymentId, span: charge.span }, ({ span }) =>
        provider[name]({ ...charge, span }, signal),
      ),
    );

  return {
    charge: charge => ask('charge', charge),
    cancel: charge => ask('cancel', charge),
    refund: refund =>
      call(signal =>
        withHooks(hooks, { name: 'refund', paymentId: refund.paymentId }, () =>
          provider.refund(refund, signal),
        ),
      ),
    readWebhook: (rawBody, headers) => provider.readWebhook(rawBody, headers),
    needsMethod: provider.needsMethod,
    stepMinor: currency => provider.stepMinor(currency),
    breakerState: breaker.state,
  };
}
