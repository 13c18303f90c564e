import { endsWithin } from '../backoff.js';

export type RecentReading<T> = {
  /** The value, at most `keptMs` old; undefined if it cannot be read within `timeoutMs`. Never rejects. */
  get(): Promise<T | undefined>;
  /** Whether the last attempt read a value. */
  isOk(): boolean;
};

export type RecentReadingOptions = { keptMs?: number; timeoutMs?: number };

/**
 * Shares a costly reading between all callers: it is read at most once a second, however many callers ask, and only one
 * read is under way at a time, even if it hangs. So no observer of the engine can overload the servers behind it.
 */
export function createRecentReading<T>(
  read: () => Promise<T>,
  // Scrapers give up after 10 s by default, and the live page needs a frame each second.
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
    // A failing read is not tried more often than a working one.
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
