import {
  bulkhead,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  isBrokenCircuitError,
  isBulkheadRejectedError,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
} from 'cockatiel';
import { messageOf } from '../platform/errors.js';
import { type Hook, withHooks } from '../platform/hooks.js';
import type { Span } from '../platform/telemetry/tracing.js';
import {
  type Charge,
  type ChargeState,
  PaymentError,
  type PaymentProvider,
  type Refund,
} from './provider.js';

export type BreakerState = 'closed' | 'open' | 'half-open';

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
  timeoutMs?: number;
  /** For all tries together. */
  budgetMs?: number;
  /** Consecutive failures that open the breaker, and how long it then refuses before one call may try. */
  breaker?: { failures: number; halfOpenAfterMs: number };
  /** Calls under way at once; those beyond wait, within their budget. */
  inFlightMax?: number;
  /** Calls that wait; one more is refused. */
  waitingMax?: number;
  /** Must not throw. */
  onBreaker?: (state: BreakerState, reason: string | undefined) => void;
};

type Send<T> = (signal: AbortSignal) => Promise<T>;

// Within the default budget more tries than four do not fit unless the provider fails fast, and then they only add to
// its load. Four failures of one call are fewer than the five that open the breaker for all others.
const retriesMax = 3;

/**
 * Puts a time limit, retries, a circuit breaker and a bound on payments under way around a provider. Every call settles
 * within `budgetMs`, also if the provider hangs and ignores its signal.
 *
 * PROVIDER_UNAVAILABLE says that nothing of this call was sent; after any other retryable error its outcome is not known.
 */
export function createResilientPayments({
  provider,
  hooks = [],
  timeoutMs = 2000,
  budgetMs = 2500,
  breaker: { failures, halfOpenAfterMs } = { failures: 5, halfOpenAfterMs: 5000 },
  // At 2.5 s each that is 80 payments a second from a provider that hangs, and 2,000 from one that takes 100 ms.
  inFlightMax = 200,
  // A batch of paid purchases is decided at once; a provider that answers within 100 ms has asked for 2,000 in a second.
  waitingMax = 2000,
  onBreaker = () => {},
}: ResilientPaymentsOptions): Payments {
  const breaker = circuitBreaker(handleWhen(isFault), {
    breaker: new ConsecutiveBreaker(failures),
    halfOpenAfter: halfOpenAfterMs,
  });
  breaker.onStateChange(state => onBreaker(nameOf(state), reasonOf(breaker)));
  const slots = bulkhead(inFlightMax, waitingMax);
  // Aggressive: they settle on time whatever the provider does with its signal.
  const budget = timeout(budgetMs, TimeoutStrategy.Aggressive);
  const limit = timeout(timeoutMs, TimeoutStrategy.Aggressive);
  const retries = retry(handleWhen(isTransient), {
    maxAttempts: retriesMax,
    backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 1000 }),
  });

  async function sendOnce<T>(send: Send<T>, signal: AbortSignal): Promise<T> {
    try {
      return await limit.execute(context => send(context.signal), signal);
    } catch (error) {
      // The payment's own budget is over, of which it may have spent most in waiting for a place: no fault of the provider.
      if (signal.aborted) throw new TaskCancelledError();
      throw isLate(error) ? timedOut(timeoutMs, error) : error;
    }
  }

  async function sendUnlessOpen<T>(send: Send<T>, signal: AbortSignal): Promise<T> {
    // The breaker would have those who come during its probe wait for it, and then send them whether or not anybody
    // still waits for them.
    if (breaker.state === CircuitState.HalfOpen) throw unavailable('is being probed after it failed');
    try {
      return await breaker.execute(context => sendOnce(send, context.signal), signal);
    } catch (error) {
      throw isBrokenCircuitError(error) ? unavailable('has failed several times in a row', error) : error;
    }
  }

  async function call<T>(send: Send<T>): Promise<T> {
    let failure: PaymentError | undefined;
    const sendAgain = (signal: AbortSignal) =>
      retries.execute(async () => {
        // A retry that waited until the budget was over sends nothing more.
        if (signal.aborted) throw timedOut(budgetMs, failure);
        try {
          return await sendUnlessOpen(send, signal);
        } catch (error) {
          if (isTransient(error)) failure = error;
          throw error;
        }
      }, signal);
    try {
      return await budget.execute(({ signal }) => slots.execute(() => sendAgain(signal), signal));
    } catch (error) {
      if (isBulkheadRejectedError(error))
        throw unavailable(`has ${inFlightMax} calls under way and ${waitingMax} waiting`, error);
      if (isLate(error)) throw timedOut(budgetMs, failure ?? error);
      // A later try that was refused or not sent says nothing about what an earlier one may have done.
      if (failure && error instanceof PaymentError) throw failure;
      throw error;
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
    breakerState: () => nameOf(breaker.state),
  };
}

function isFault(error: unknown): boolean {
  return error instanceof PaymentError && error.isFault;
}

// What may pass by itself. Nothing was sent after PROVIDER_UNAVAILABLE.
function isTransient(error: unknown): error is PaymentError {
  return error instanceof PaymentError && error.retryable && error.code !== 'PROVIDER_UNAVAILABLE';
}

// cockatiel 3.2 has an isTaskCancelledError, which asks whether it is a BulkheadRejectedError.
function isLate(error: unknown): boolean {
  return error instanceof TaskCancelledError;
}

function unavailable(why: string, cause?: unknown): PaymentError {
  return new PaymentError('PROVIDER_UNAVAILABLE', `The payment provider ${why}`, cause);
}

function timedOut(afterMs: number, cause: unknown): PaymentError {
  return new PaymentError(
    'PROVIDER_TIMEOUT',
    `The payment provider did not answer within ${afterMs} ms`,
    cause,
  );
}

function reasonOf({ lastFailure }: CircuitBreakerPolicy): string | undefined {
  return lastFailure && 'error' in lastFailure ? messageOf(lastFailure.error) : undefined;
}

function nameOf(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half-open' : 'open';
}
