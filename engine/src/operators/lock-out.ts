import { LRUCache } from 'lru-cache';

export type LockOut = {
  /** Seconds until any of these may try again; 0 if each may try now. */
  waitSeconds(names: readonly string[]): number;
  /** Counts a wrong secret against each of these. */
  failed(names: readonly string[]): void;
  /** Takes over what others have counted, where that is more. */
  learn(counts: readonly GuessCount[]): void;
  /** Forgets what was counted against this one. */
  forget(name: string): void;
};

/** Wrong secrets in a row, and how long ago the last one was. */
export type GuessCount = { name: string; failures: number; ageMs: number };

export type LockOutOptions = {
  /** Wrong secrets in a row after which a name is locked out; 0 locks nobody out. */
  triesMax: number;
  /** How long a name is locked out, and after which quiet time its wrong secrets are forgotten. */
  lockSeconds: number;
  nowMs?: () => number;
};

// Some 150 bytes each. Whoever has more addresses than this can have older ones forgotten, and still has 16 characters to guess.
const namesMax = 10_000;

/** Counts wrong secrets by name (a user, an address) in this process. */
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
    learn(counts) {
      for (const { name, failures, ageMs } of counts) {
        const known = countOf(name);
        if (failures <= (known?.failures ?? 0)) continue;
        counted.set(name, { failures, lastAtMs: Math.max(known?.lastAtMs ?? 0, nowMs() - ageMs) });
      }
    },
    forget: name => void counted.delete(name),
  };
}
