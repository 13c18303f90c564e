import { sleep } from '../../src/platform/backoff.js';

/** Waits until `check` returns a truthy value, polling every few milliseconds. @throws after `timeoutMs`. */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  timeoutMs = 20_000,
): Promise<NonNullable<T>> {
  const giveUpAtMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (performance.now() > giveUpAtMs)
      throw new Error(`timed out after ${timeoutMs} ms, waiting until ${what}`);
    await sleep(5);
  }
}
