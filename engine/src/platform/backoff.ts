import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds to wait before try `attempt` (0, 1, 2 ...): full jitter below a doubling ceiling spreads the retries. */
export function backoffMs(attempt: number, baseMs: number, maxMs: number): number {
  return Math.random() * Math.min(maxMs, baseMs * 2 ** attempt);
}

export function sleep(durationMs: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, durationMs));
}

/** Like sleep, but ends at once when the signal aborts; leaves no listener on the signal. */
export async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  // All jobs of a process wait on one signal. Node takes more than ten listeners for a leak and warns.
  setMaxListeners(0, signal);
  await delay(durationMs, undefined, { signal }).catch(() => {});
}

/** @returns whether `work` ended in time; leaves no timer that would keep the process alive. */
export async function endsWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const isLate = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([work.then(() => true), isLate]);
  } finally {
    clearTimeout(timer);
  }
}
