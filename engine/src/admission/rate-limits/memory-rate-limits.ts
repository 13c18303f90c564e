import { LRUCache } from 'lru-cache';
import type { RateLimit, RateTaken } from './rate-limits.js';

type Bucket = { tokens: number; atMs: number };

// Some 150 bytes each. An evicted key has been idle for longest, and begins again with a full bucket.
const bucketsMax = 100_000;

/** RateLimits that answer synchronously. */
type MemoryRateLimits = { take(key: string, limit: RateLimit): RateTaken };

/** The count of one process. @param nowMs any clock that never goes back. */
export function createMemoryRateLimits(
  nowMs: () => number = () => performance.now(),
  max = bucketsMax,
): MemoryRateLimits {
  const buckets = new LRUCache<string, Bucket>({ max });
  return {
    take(key, { limit, windowMs, burst }): RateTaken {
      const atMs = nowMs();
      const bucket = buckets.get(key) ?? { tokens: burst, atMs };
      const perMs = limit / windowMs;
      const tokens = Math.min(burst, bucket.tokens + (atMs - bucket.atMs) * perMs);
      const allowed = tokens >= 1;
      const left = allowed ? tokens - 1 : tokens;
      buckets.set(key, { tokens: left, atMs });
      const resetMs = left >= 1 ? 0 : Math.ceil((1 - left) / perMs - 0.001);
      return { allowed, remaining: Math.floor(left), resetMs };
    },
  };
}
