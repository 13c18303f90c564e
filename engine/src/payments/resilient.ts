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
  /** For display only: an open breaker turns half-open when somebody calls, not by itself. */
  breakerState(): BreakerState;
};

/** One call that is about to be sent to the provider; `span` is what it belongs to, where traces are kept. */
type ProviderCall = {
  name: 'charge' | 'cancel' | 'refund';
  paymentId: string;
  span?: Span | undefined;
};

export type PaymentHook = Hook<ProviderCall, ChargeState | { reference: string }>;

export type ResilientPaymentsOptions = {
  provider: PaymentProvider;
  /** Told of each call to the provider, those that are sent again included. */
  hooks?: readonly PaymentHook[];
  /** For one call to the provider. */
  timeoutMs: number;
  /** For all tries together. */
  budgetMs: number;
  /** Failures in a row that open the breaker, and how long it then refuses before one call may try. */
  breaker: { failuresMax: number; openMs: number };
  /** Calls under way at once; those beyond wait, within their budget. */
  inFlightMax: number;
  /** Calls that wait; one more is refused. */
  waitingMax?: number;
  /** Must not throw. */
  onBreaker: (state: BreakerState, reason: string | undefined) => void;
};

/**
 * Puts a time limit, retries, a circuit breaker and a bound on payments under way around a provider. Every call settles
 * within `budgetMs`, also if the provider hangs and ignores its signal.
 *
 * PROVIDER_UNAVAILABLE says that nothing of this call was sent; after any other retryable error its outcome is not known.
 */
export function createResilientPayments({
  provider,
  hooks = [],
  timeoutMs,
  budgetMs,
  breaker: { failuresMax, openMs },
  inFlightMax,
  // A batch of paid purchases is decided at once; a provider that answers within 100 ms has asked for 2,000 in a second.
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
