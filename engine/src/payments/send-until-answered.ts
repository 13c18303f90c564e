import { backoffMs, sleep } from '../platform/backoff.js';
import type { Breaker } from '../platform/breaker.js';
import { PaymentError } from './provider.js';

/** One call to the provider, which is sent again until it is answered. */
export type Send<T> = (signal: AbortSignal) => Promise<T>;

// Within the default budget more tries than four do not fit unless the provider fails fast, and then they only add to
// its load. Four failures of one call are fewer than the five that open the breaker for all others.
const retriesMax = 3;
// Half of it on average: a provider that is restarted or fails over needs some tenths of a second.
const pauseBaseMs = 200;
const pauseMaxMs = 1000;

export type SendOptions = {
  breaker: Breaker;
  /** For one try. */
  timeoutMs: number;
  /** For all tries together. */
  budgetMs: number;
};

/** Sends a call until it is answered, for good or ill, or until `endsAtMs` (`performance.now()`). */
export function createSendUntilAnswered({ breaker, timeoutMs, budgetMs }: SendOptions) {
  async function sendOnce<T>(send: Send<T>, leftMs: number): Promise<T> {
    const limitMs = Math.min(timeoutMs, leftMs);
    // A payment may have spent most of its time in waiting for a place: no fault of the provider. But a probe that heard
    // nothing must not close the breaker.
    const isFaulty = () => leftMs >= timeoutMs || breaker.state() === 'half-open';
    return settleWithin(limitMs, send, () => (isFaulty() ? timedOut(Math.round(limitMs)) : new BudgetOver()));
  }

  return async function sendUntilAnswered<T>(send: Send<T>, endsAtMs: number): Promise<T> {
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
  };
}

export function isFault(error: unknown): boolean {
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

export function unavailable(why: string): PaymentError {
  return new PaymentError('PROVIDER_UNAVAILABLE', `The payment provider ${why}`);
}

export function timedOut(afterMs: number, cause?: unknown): PaymentError {
  return new PaymentError(
    'PROVIDER_TIMEOUT',
    `The payment provider did not answer within ${afterMs} ms`,
    cause,
  );
}
