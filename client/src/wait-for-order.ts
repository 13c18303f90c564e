import { isOpen, type Order } from './api.js';
import { type Lost, type Outcome, passingSlugs, type Refused } from './outcome.js';
import { pause } from './persist.js';

export type WaitOptions = {
  /** The shopper whose order it is, for callers with the API key. */
  userId?: string;
  /** Defaults to a minute. If the queue is slower, ask again later. */
  timeoutMs?: number;
  signal?: AbortSignal;
};

export type WaitOutcome =
  | { kind: 'ended'; order: Order }
  /** The time is up and the order is still open. `order` is its last known state, if it was read at all. */
  | { kind: 'waiting'; order?: Order }
  | Refused
  | Lost;

// Most orders are decided within a second. For a slower one, asking four times a second for a minute would be wasteful.
const pauseMinMs = 200;
const pauseMaxMs = 2000;

/**
 * Polls, since that works through every proxy and needs no open connection for each order. Pages that follow one order
 * use its stream (`/api/orders/{id}/events`).
 *
 * @param read one try; the signal aborts it.
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
