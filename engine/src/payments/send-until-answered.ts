import { backoffMs, sleep } from '../platform/backoff.js';
import type { Breaker } from '../platform/breaker.js';
import { PaymentError } from './provider.js';

/** One call to the provider; a retry sends it again. */
export type Send<T> = (signal: AbortSignal) => Promise<T>;

// More than four tries do not fit into the default budget unless the provider fails fast, and then they only add to its
// load. Four failures of one call are fewer than the five that open the breaker for all others.
const retriesMax = 3;
// The pause is half of this on average: a provider that restarts or fails over needs some tenths of a second.
const pauseBaseMs = 200;
const pauseMaxMs = 1000;

export type SendOptions = {
  breaker: Breaker;
  /** Of one try. */
  timeoutMs: number;
  /** Of all tries together. */
  budgetMs: number;
};

/** Sends a call, with retries, until it is answered or until `endsAtMs` (`performance.now()`). */
export function createSendUntilAnswered({ breaker, timeoutMs, budgetMs }: SendOptions) {
  async function sendOnce<T>(send: Send<T>, leftMs: number): Promise<T> {
    const limitMs = Math.min(timeoutMs, leftMs);
    // A payment that spent most of its time waiting for a place is not the provider's fault. But a probe without an
    // answer must not close the breaker.
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
        // A later try that was refused or not sent says nothing about the effect of an earlier one.
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

// A retry may succeed. PROVIDER_UNAVAILABLE is excluded: nothing was sent.
function isTransient(error: unknown): error is PaymentError {
  return error instanceof PaymentError && error.retryable && error.code !== 'PROVIDER_UNAVAILABLE';
}

/** Settles within `limitMs`, whatever the work does with its signal. */
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

/** The payment's budget ended before the timeout of the try. */
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
