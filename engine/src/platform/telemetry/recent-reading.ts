import { endsWithin } from '../backoff.js';

export type RecentReading<T> = {
  /** The value, at most `keptMs` old; undefined where it can not be had within `timeoutMs`. Never rejects. */
  get(): Promise<T | undefined>;
  /** Whether the last try brought a value. */
  isOk(): boolean;
};

export type RecentReadingOptions = { keptMs?: number; timeoutMs?: number };

/**
 * Shares what is costly to read among all who look: it is read once a second at most, however many ask, and one reading is
 * under way at a time, also when it hangs. So nobody who looks at the engine can load what stands behind it.
 */
export function createRecentReading<T>(
  read: () => Promise<T>,
  // Scrapers give up after 10 s by default, and a page wants its frame each second.
  { keptMs = 1000, timeoutMs = 1000 }: RecentReadingOptions = {},
): RecentReading<T> {
  let kept: T | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let isOk = true;
  let underWay: Promise<void> | undefined;

  async function readOnce(): Promise<void> {
    const startedAtMs = performance.now();
    try {
      kept = await read();
      isOk = true;
    } catch {
      kept = undefined;
      isOk = false;
    }
    // One that failed is not tried more often than one that works.
    readAtMs = startedAtMs;
  }

  return {
    async get() {
      if (performance.now() - readAtMs < keptMs) return kept;
      underWay ??= readOnce().finally(() => {
        underWay = undefined;
      });
      if (await endsWithin(underWay, timeoutMs)) return kept;
      isOk = false;
      return undefined;
    },
    isOk: () => isOk,
  };
}
