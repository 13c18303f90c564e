import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `check` returns something truthy, polling a hundred times a second. @throws after `timeoutMs`. */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  timeoutMs: number,
): Promise<NonNullable<T>> {
  const giveUpAtMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (performance.now() > giveUpAtMs)
      throw new Error(`gave up after ${timeoutMs} ms waiting until ${what}`);
    await sleep(10);
  }
}
