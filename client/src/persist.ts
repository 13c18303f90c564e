import { isFinal, type Outcome, passingSlugs, type Refused } from './outcome.js';

/** The state of a request that is being sent, so that a page can tell a person whether to wait. */
export type Progress = 'sending' | 'waiting-for-turn' | 'reconnecting';

export type Patience = {
  /** Tries after a refusal that says "not now". A rush passes in seconds; after that the shopper can try again. */
  busyTriesMax: number;
  /** Tries after no answer at all. With pauses of up to 5 s, thirty tries cover some two minutes offline. */
  lostTriesMax: number;
  /** Limit for all tries and pauses together. A pause that would exceed it is not started. */
  totalMs: number;
  /** Refusals after which the client sends the same request again. */
  retried: ReadonlySet<Refused['slug']>;
};

const defaultPatience: Patience = {
  busyTriesMax: 4,
  lostTriesMax: 30,
  totalMs: 120_000,
  retried: passingSlugs,
};

export type PersistOptions = Partial<Patience> & {
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Ends the pauses and the tries. A request already sent may still have arrived. */
  signal?: AbortSignal | undefined;
};

const pauseMinMs = 500;
const pauseMaxMs = 5000;

/**
 * Sends until there is an outcome, or until the limits are reached. It then returns the last outcome, which `isFinal`
 * may report as open. Every try must carry the same key, so that there is one order however many tries arrive.
 */
export async function persist<Value>(
  send: () => Promise<Outcome<Value>>,
  options: PersistOptions = {},
): Promise<Outcome<Value>> {
  const { onProgress = () => {}, signal, ...patience } = options;
  const { busyTriesMax, lostTriesMax, totalMs, retried } = { ...defaultPatience, ...patience };
  const giveUpAtMs = performance.now() + totalMs;
  let busyTries = 0;
  let lostTries = 0;
  let tookNothing = true;

  /** @returns undefined if there is no further try. */
  function pauseAfter(outcome: Outcome<Value>): number | undefined {
    if (outcome.kind === 'granted' || signal?.aborted) return undefined;
    if (outcome.kind === 'lost') {
      lostTries += 1;
      return lostTries > lostTriesMax ? undefined : backoffMs(lostTries);
    }
    busyTries += 1;
    if (!retried.has(outcome.slug) || busyTries > busyTriesMax) return undefined;
    // Never earlier than requested, and spread out.
    return (outcome.retryAfterMs ?? 0) * (1 + Math.random()) + backoffMs(busyTries);
  }

  // The refusal of the last try says nothing about an order that an earlier try may have created.
  async function sendOnce(): Promise<Outcome<Value>> {
    const outcome = await send();
    if (outcome.kind !== 'refused') tookNothing = false;
    else tookNothing = isFinal(outcome) || (tookNothing && outcome.tookNothing);
    return outcome.kind === 'refused' ? { ...outcome, tookNothing } : outcome;
  }

  for (;;) {
    onProgress(lostTries > 0 ? 'reconnecting' : busyTries > 0 ? 'waiting-for-turn' : 'sending');
    const outcome = await sendOnce();
    const pauseMs = pauseAfter(outcome);
    if (pauseMs === undefined || performance.now() + pauseMs > giveUpAtMs) return outcome;
    onProgress(outcome.kind === 'lost' ? 'reconnecting' : 'waiting-for-turn');
    await pause(pauseMs, signal, outcome.kind === 'lost');
    if (signal?.aborted) return outcome;
  }
}

/** Full jitter: thousands of clients that were refused together must not come back together. */
function backoffMs(tries: number): number {
  return pauseMinMs + Math.random() * Math.min(pauseMaxMs, pauseMinMs * 2 ** tries);
}

/** @param untilOnline end the pause early when the browser reports that it is online again. */
export function pause(ms: number, signal?: AbortSignal, untilOnline = false): Promise<void> {
  return new Promise(resolve => {
    const done = new AbortController();
    const end = () => {
      clearTimeout(timer);
      done.abort();
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end, { signal: done.signal });
    if (untilOnline && 'addEventListener' in globalThis) {
      globalThis.addEventListener('online', end, { signal: done.signal });
    }
    if (signal?.aborted) end();
  });
}
