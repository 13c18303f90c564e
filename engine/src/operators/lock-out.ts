import { LRUCache } from 'lru-cache';

export type LockOut = {
  /** Seconds until all of these names may be tried again; 0 if they may be now. */
  waitSeconds(names: readonly string[]): number;
  /** Counts a wrong secret against each of these names. */
  failed(names: readonly string[]): void;
};

export type LockOutOptions = {
  /** Wrong secrets in a row after which a name is locked out; 0 turns this off. */
  triesMax: number;
  /** How long a name is locked out, and after how long without failures its wrong secrets are forgotten. */
  lockSeconds: number;
  nowMs?: () => number;
};

// Some 150 bytes each. If a guesser has more addresses than this, older ones are forgotten and get 401 again.
const namesMax = 10_000;

/** Counts wrong secrets by name (a user, an address, the beginning of a secret) in this process. */
export function createLockOut({
  triesMax,
  lockSeconds,
  nowMs = () => performance.now(),
}: LockOutOptions): LockOut {
  const counted = new LRUCache<string, { failures: number; lastAtMs: number }>({ max: namesMax });

  function countOf(name: string) {
    const count = counted.get(name);
    const isForgotten = count !== undefined && nowMs() >= count.lastAtMs + lockSeconds * 1000;
    return isForgotten ? undefined : count;
  }

  function waitMs(name: string): number {
    const count = countOf(name);
    if (triesMax === 0 || !count || count.failures < triesMax) return 0;
    return count.lastAtMs + lockSeconds * 1000 - nowMs();
  }

  return {
    waitSeconds: names => Math.ceil(Math.max(0, ...names.map(waitMs)) / 1000),
    failed(names) {
      for (const name of names) {
        const failures = (countOf(name)?.failures ?? 0) + 1;
        counted.set(name, { failures, lastAtMs: nowMs() });
      }
    },
  };
}
