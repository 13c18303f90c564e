import { isOpen, type Order } from './api.js';
import { type Lost, type Outcome, passingSlugs, type Refused } from './outcome.js';
import { pause } from './persist.js';

export type WaitOptions = {
  /** Whose order it is, for callers with the API key. */
  userId?: string;
  /** A minute unless said otherwise: a queue that is slower than that is worth coming back to. */
  timeoutMs?: number;
  signal?: AbortSignal;
};

export type WaitOutcome =
  | { kind: 'ended'; order: Order }
  /** Time is up, and the order goes on; `order` is how it stood last, if it was read at all. */
  | { kind: 'waiting'; order?: Order }
  | Refused
  | Lost;

// An order is mostly decided within a second; one that is not is no reason to ask four times a second for a minute.
const pauseMinMs = 200;
const pauseMaxMs = 2000;

/**
 * By asking again and again, since that works through every proxy and needs no connection that is held for each order;
 * pages that follow one order have its stream (`/api/orders/{id}/events`).
 *
 * @param read one try; the signal ends it.
 */
export async function waitForOrder(
  read: (signal: AbortSignal | undefined) => Promise<Outcome<Order>>,
  { timeoutMs = 60_000, signal }: WaitOptions,
): Promise<WaitOutcome> {
  const giveUpAtMs = performance.now() + timeoutMs;
  let last: Order | undefined;
  for (let reads = 0; ; reads++) {
    const outcome = await read(signal);
    if (outcome.kind === 'granted') {
      last = outcome.value;
      if (!isOpen(last)) return { kind: 'ended', order: last };
    } else if (outcome.kind === 'refused' && !passingSlugs.has(outcome.slug)) {
      return outcome;
    }
    const pauseMs = pauseAfter(outcome, reads);
    if (signal?.aborted || performance.now() + pauseMs > giveUpAtMs) return givenUp(outcome, last);
    await pause(pauseMs, signal, outcome.kind === 'lost');
  }
}

function pauseAfter(outcome: Outcome<Order>, reads: number): number {
  const askedForMs = outcome.kind === 'refused' ? (outcome.retryAfterMs ?? 0) : 0;
  return askedForMs + Math.min(pauseMaxMs, pauseMinMs * 1.5 ** reads) * (0.5 + Math.random());
}

function givenUp(outcome: Outcome<Order>, last: Order | undefined): WaitOutcome {
  if (last) return { kind: 'waiting', order: last };
  return outcome.kind === 'granted' ? { kind: 'waiting' } : outcome;
}
