import { isFinal, type Outcome, passingSlugs, type Refused } from './outcome.js';

/** How a request stands that is being sent: told so that a person knows whether to wait. */
export type Progress = 'sending' | 'waiting-for-turn' | 'reconnecting';

export type Patience = {
  /** Tries after a refusal that says "not now". A storm passes in seconds; whoever is still refused then may ask again. */
  busyTriesMax: number;
  /** Tries after no answer at all; with pauses of up to 5 s thirty of them are some two minutes offline. */
  lostTriesMax: number;
  /** All tries and pauses together; a pause that would end later is not begun. */
  totalMs: number;
  /** Refusals after which the same request is sent again. */
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
  /** Ends the pauses and the tries; what was sent may have arrived all the same. */
  signal?: AbortSignal | undefined;
};

const pauseMinMs = 500;
const pauseMaxMs = 5000;

/**
 * Sends until there is an outcome, or until patience is at its end; then the last outcome is given, which `isFinal` may
 * say is open. Every try must carry the same key, so that however many arrive there is one order.
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

  /** @returns undefined where nothing is to be tried again. */
  function pauseAfter(outcome: Outcome<Value>): number | undefined {
    if (outcome.kind === 'granted' || signal?.aborted) return undefined;
    if (outcome.kind === 'lost') {
      lostTries += 1;
      return lostTries > lostTriesMax ? undefined : backoffMs(lostTries);
    }
    busyTries += 1;
    if (!retried.has(outcome.slug) || busyTries > busyTriesMax) return undefined;
    // Never earlier than asked for, and not all at once.
    return (outcome.retryAfterMs ?? 0) * (1 + Math.random()) + backoffMs(busyTries);
  }

  // What turned the last try away says nothing about an order that an earlier one may have made.
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

/** Full jitter: thousands who were refused together shall not come back together. */
function backoffMs(tries: number): number {
  return pauseMinMs + Math.random() * Math.min(pauseMaxMs, pauseMinMs * 2 ** tries);
}

/** @param untilOnline back online is a reason not to wait any longer; browsers tell. */
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
