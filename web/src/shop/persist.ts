import type { Outcome } from './send';

/** How a purchase stands that is being sent: told so that a person knows whether to wait. */
export type Progress = 'sending' | 'waiting-for-turn' | 'reconnecting';

// A storm passes in seconds; whoever is still refused then is asked whether to go on.
const busyTriesMax = 4;
// With pauses of up to 5 s some two minutes offline; the key is kept beyond that.
const lostTriesMax = 30;
const pauseMinMs = 500;
const pauseMaxMs = 5000;

/** Refusals that say "not now": the same request may fare otherwise in a moment. */
const passing = new Set(['overloaded', 'unavailable', 'undecided', 'outcome-unknown']);

/**
 * Sends until there is an outcome, or until it is a person's turn to decide. Every try carries the same key, so that
 * however many arrive there is one purchase.
 */
export async function persist(
  send: () => Promise<Outcome>,
  onProgress: (progress: Progress) => void,
): Promise<Outcome> {
  let busyTries = 0;
  let lostTries = 0;
  for (;;) {
    onProgress(lostTries > 0 ? 'reconnecting' : busyTries > 0 ? 'waiting-for-turn' : 'sending');
    const outcome = await send();
    if (outcome.kind === 'granted') return outcome;
    if (outcome.kind === 'lost') {
      lostTries += 1;
      if (lostTries > lostTriesMax) return outcome;
      onProgress('reconnecting');
      await pauseOrOnline(backoff(lostTries));
    } else {
      busyTries += 1;
      if (!passing.has(outcome.slug) || busyTries > busyTriesMax) return outcome;
      onProgress('waiting-for-turn');
      await pause((outcome.retryAfterMs ?? 0) * (1 + Math.random()) + backoff(busyTries));
    }
  }
}

// After these nobody knows whether there is an order.
const open = new Set(['outcome-unknown', 'unavailable']);

/** Whether the purchase is over: nothing more is to be learnt under its key. */
export function isFinal(outcome: Outcome): boolean {
  return outcome.kind === 'granted' || (outcome.kind === 'refused' && !open.has(outcome.slug));
}

/** Full jitter: thousands who were refused together shall not come back together. */
function backoff(tries: number): number {
  return pauseMinMs + Math.random() * Math.min(pauseMaxMs, pauseMinMs * 2 ** tries);
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}

/** Back online is a reason not to wait any longer. */
async function pauseOrOnline(ms: number): Promise<void> {
  const controller = new AbortController();
  const online = new Promise<void>(resolve =>
    addEventListener('online', () => resolve(), { once: true, signal: controller.signal }),
  );
  await Promise.race([pause(ms), online]);
  controller.abort();
}
