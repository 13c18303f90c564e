import { backoffMs, sleep } from '../platform/backoff.js';
import { type BreakerState, createBreaker } from '../platform/breaker.js';
import { messageOf } from '../platform/errors.js';
import { type Hook, withHooks } from '../platform/hooks.js';
import type { Span } from '../platform/telemetry/tracing.js';
import { createPlaces } from './places.js';
import {
  type Charge,
  type ChargeState,
  PaymentError,
  type PaymentProvider,
  type Refund,
} from './provider.js';

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

type Send<T> = (signal: AbortSignal) => Promise<T>;

// Within the default budget more tries than four do not fit unless the provider fails fast, and then they only add to
// its load. Four failures of one call are fewer than the five that open the breaker for all others.
const retriesMax = 3;
// Half of it on average: a provider that is restarted or fails over needs some tenths of a second.
const pauseBaseMs = 200;
const pauseMaxMs = 1000;

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
  const places = createPlaces(inFlightMax, waitingMax);

  async function sendOnce<T>(send: Send<T>, leftMs: number): Promise<T> {
    const limitMs = Math.min(timeoutMs, leftMs);
    // A payment may have spent most of its time in waiting for a place: no fault of the provider. But a probe that heard
    // nothing must not close the breaker.
    const isFaulty = () => leftMs >= timeoutMs || breaker.state() === 'half-open';
    return settleWithin(limitMs, send, () => (isFaulty() ? timedOut(Math.round(limitMs)) : new BudgetOver()));
  }

  async function sendUntilAnswered<T>(send: Send<T>, endsAtMs: number): Promise<T> {
    const leftMs = () => endsAtMs - performance.now();
    let failure: PaymentError | undefined;
    for (let retries = 0; ; retries++) {
      if (leftMs() <= 0) throw timedOut(budgetMs, failure);
      try {
        return await breaker.run(() => sendOnce(send, leftMs()));
      } catch (error) {
        if (error instanceof BudgetOver) throw timedOut(budgetMs, failure);
        // A later try that was refused or not sent says nothing about what an earlier one may have done.
        if (!isTransient(error)) throw failure && error instanceof PaymentError ? failure : error;
        failure = error;
      }
      const pauseMs = backoffMs(retries, pauseBaseMs, pauseMaxMs);
      if (retries === retriesMax || pauseMs >= leftMs()) throw failure;
      await sleep(pauseMs);
    }
  }

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

function isFault(error: unknown): boolean {
  return error instanceof PaymentError && error.isFault;
}

// What may pass by itself. Nothing was sent after PROVIDER_UNAVAILABLE.
function isTransient(error: unknown): error is PaymentError {
  return error instanceof PaymentError && error.retryable && error.code !== 'PROVIDER_UNAVAILABLE';
}

/** Ends after `limitMs`, whatever the work does with its signal. */
async function settleWithin<T>(limitMs: number, send: Send<T>, late: () => Error): Promise<T> {
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const isLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(late());
      ending.abort();
    }, limitMs);
  });
  try {
    return await Promise.race([send(ending.signal), isLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** The time for the payment was over before that for the try. */
class BudgetOver extends Error {}

function unavailable(why: string): PaymentError {
  return new PaymentError('PROVIDER_UNAVAILABLE', `The payment provider ${why}`);
}

function timedOut(afterMs: number, cause?: unknown): PaymentError {
  return new PaymentError(
    'PROVIDER_TIMEOUT',
    `The payment provider did not answer within ${afterMs} ms`,
    cause,
  );
}
