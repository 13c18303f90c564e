import { classifyFailure } from '../ledger/failures.js';
import { backoffMs, sleep } from '../platform/backoff.js';
import type { Queryable } from '../platform/postgres.js';
import { createAllocateRange, type IdRange } from './allocate-range.js';

/**
 * `overloaded`: too many wait already, or no turn came in time; nothing was taken. `unavailable`: the database could not
 * be asked in time; ids may have been taken that nobody gets.
 */
type Allocation = ({ outcome: 'allocated' } & IdRange) | { outcome: 'overloaded' | 'unavailable' };

/**
 * Takes the next `count` ids of a kind: unique over all processes, one after the other, and larger than every id that was
 * answered before the call. Always resolves unless the database refuses the statement for good.
 */
export type AllocateIds = (kind: string, count: number) => Promise<Allocation>;

export type AllocateIdsOptions = {
  /** How long a request may wait for its statement to begin, and how long that one is tried again. */
  deadlineMs?: number;
  /** Requests of one kind that wait; one more is refused at once. */
  waitersMax?: number;
  /** Ids of one kind that they wait for. */
  idsWaitingMax?: number;
};

type Waiter = {
  count: number;
  deadlineAtMs: number;
  resolve: (allocation: Allocation) => void;
  reject: (error: unknown) => void;
};

const defaults = {
  // What a caller still takes for an answer, as with purchases; a restart of PostgreSQL is over by then.
  deadlineMs: 2000,
  // A second of single requests; what does not fit would miss its deadline.
  waitersMax: 20_000,
  // A hundred of the largest batches. Written as JSON they are 8 MB.
  idsWaitingMax: 1_000_000,
} satisfies Required<AllocateIdsOptions>;

/** Requests of one kind that wait at the same time, single ones and batches, share one statement and one commit. */
export function createAllocateIds(db: Queryable, options: AllocateIdsOptions = {}): AllocateIds {
  const lanes = new Map<string, (count: number) => Promise<Allocation>>();
  return (kind, count) => {
    const lane = lanes.get(kind) ?? createLane(createServeBatch(db, kind), { ...defaults, ...options });
    lanes.set(kind, lane);
    return lane(count);
  };
}

const sweepEveryMs = 50;

function createLane(
  serveBatch: (batch: readonly Waiter[]) => Promise<void>,
  { deadlineMs, waitersMax, idsWaitingMax }: Required<AllocateIdsOptions>,
): (count: number) => Promise<Allocation> {
  let waiters: Waiter[] = [];
  let idsWaiting = 0;
  let sweeper: NodeJS.Timeout | undefined;

  async function serve(): Promise<void> {
    while (waiters.length > 0) {
      const batch = waiters;
      waiters = [];
      idsWaiting = 0;
      await serveBatch(batch);
    }
    clearInterval(sweeper);
    sweeper = undefined;
  }

  // Those behind a statement that takes long. They stand in order of arrival, so in order of their deadlines.
  function refuseLate(): void {
    const nowMs = performance.now();
    while (waiters[0] && waiters[0].deadlineAtMs <= nowMs) {
      idsWaiting -= waiters[0].count;
      waiters.shift()?.resolve({ outcome: 'overloaded' });
    }
  }

  return count => {
    if (waiters.length >= waitersMax || idsWaiting + count > idsWaitingMax) {
      return Promise.resolve({ outcome: 'overloaded' });
    }
    return new Promise((resolve, reject) => {
      waiters.push({ count, deadlineAtMs: performance.now() + deadlineMs, resolve, reject });
      idsWaiting += count;
      if (sweeper) return;
      sweeper = setInterval(refuseLate, sweepEveryMs).unref();
      setImmediate(serve);
    });
  };
}

function createServeBatch(db: Queryable, kind: string): (batch: readonly Waiter[]) => Promise<void> {
  const allocateRange = createAllocateRange(db, kind);
  let requests = 0;

  /**
   * Once a try may have been committed the request goes on as it is, for as long as one of its waiters can wait: sent
   * again unchanged it gets the same ids. Until then those who are late are left out of it.
   */
  return async batch => {
    requests += 1;
    let waiters = batch;
    let mayBeCommitted = false;
    for (let tries = 0; ; tries++) {
      if (!mayBeCommitted) waiters = refuseLate(waiters);
      const last = waiters.at(-1);
      if (!last || last.deadlineAtMs <= performance.now()) return refuseAll(waiters);
      try {
        return share(waiters, await allocateRange(requests, countIds(waiters)));
      } catch (error) {
        const failure = classifyFailure(error);
        if (failure === 'bad-row' || failure === 'broken') return rejectAll(waiters, error);
        mayBeCommitted ||= failure === 'unknown';
        await sleep(backoffMs(tries, 100, 400));
      }
    }
  };
}

function countIds(waiters: readonly Waiter[]): number {
  return waiters.reduce((sum, { count }) => sum + count, 0);
}

/** In order of arrival, so that a caller who asks one after the other sees increasing ids. */
function share(waiters: readonly Waiter[], { first }: IdRange): void {
  let next = first;
  for (const { count, resolve } of waiters) {
    resolve({ outcome: 'allocated', first: next, last: next + count - 1 });
    next += count;
  }
}

function refuseLate(waiters: readonly Waiter[]): readonly Waiter[] {
  const nowMs = performance.now();
  refuseAll(waiters.filter(({ deadlineAtMs }) => deadlineAtMs <= nowMs));
  return waiters.filter(({ deadlineAtMs }) => deadlineAtMs > nowMs);
}

function refuseAll(waiters: readonly Waiter[]): void {
  for (const { resolve } of waiters) resolve({ outcome: 'unavailable' });
}

function rejectAll(waiters: readonly Waiter[], error: unknown): void {
  for (const { reject } of waiters) reject(error);
}
