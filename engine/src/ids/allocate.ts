import { classifyFailure } from '../ledger/failures.js';
import { backoffMs, sleep } from '../platform/backoff.js';
import { createBatcher } from '../platform/batching/batcher.js';
import { answerAll, type Waiter as BatchWaiter } from '../platform/batching/lanes.js';
import type { Queryable } from '../platform/postgres.js';
import { createCounts } from '../platform/telemetry/counts.js';
import { type AllocateRange, createAllocateRange, type IdRange } from './allocate-range.js';

/**
 * `overloaded`: too many requests wait, or this one did not start in time; no ids were taken. `unavailable`: the database
 * did not answer in time; ids may have been taken that no caller gets.
 */
type Allocation = ({ outcome: 'allocated' } & IdRange) | { outcome: 'overloaded' | 'unavailable' };

/**
 * Takes the next `count` ids of a kind: unique over all processes, consecutive, and larger than every id that was returned
 * before the call. Always resolves unless the database refuses the statement for good.
 */
export type AllocateIds = (kind: string, count: number) => Promise<Allocation>;

export type AllocateIdsOptions = {
  /** How long a request may wait for its statement to begin, and how long that statement is retried. */
  deadlineMs?: number;
  /** Requests of one kind that may wait; further ones are refused at once. */
  waitersMax?: number;
  /** Ids of one kind that these requests may wait for in total. */
  idsWaitingMax?: number;
  /** Called with the outcome of each request. */
  onAnswer?: (kind: string, count: number, outcome: Allocation['outcome']) => void;
};

export const idOutcomes: readonly Allocation['outcome'][] = ['allocated', 'overloaded', 'unavailable'];

/** `failed`: the database refuses the statement for good. */
type Answer = Allocation | { outcome: 'failed'; error: unknown };
type Waiter = BatchWaiter<number, Answer>;

const defaults = {
  // The longest that a caller waits, as with purchases; a restart of PostgreSQL takes less.
  deadlineMs: 2000,
  // A second of single requests; further ones would miss their deadline.
  waitersMax: 20_000,
  // A hundred of the largest batches. As JSON they are 8 MB.
  idsWaitingMax: 1_000_000,
  onAnswer: () => {},
} satisfies Required<AllocateIdsOptions>;

/** Requests of one kind that wait at the same time, single or in batches, share one statement and one commit. */
export function createAllocateIds(db: Queryable, options: AllocateIdsOptions = {}): AllocateIds {
  const { deadlineMs, waitersMax, idsWaitingMax, onAnswer } = { ...defaults, ...options };
  const serveBatch = createServeBatch(db);
  const idsWaiting = createCounts();
  const { join } = createBatcher<string, number, Answer>({
    serve(kind, batch) {
      idsWaiting.add(kind, -countIds(batch));
      return serveBatch(kind, batch);
    },
    batchMax: waitersMax,
    deadlineMs,
    isFull: own => own >= waitersMax,
    refusal: { outcome: 'overloaded' },
  });

  async function wait(kind: string, count: number): Promise<Allocation> {
    if (idsWaiting.of(kind) + count > idsWaitingMax) return { outcome: 'overloaded' };
    idsWaiting.add(kind, count);
    const answer = await join(kind, count);
    if (answer.outcome === 'failed') throw answer.error;
    // Its batch has not begun and never will.
    if (answer.outcome === 'overloaded') idsWaiting.add(kind, -count);
    return answer;
  }

  return async (kind, count) => {
    const allocation = await wait(kind, count);
    onAnswer(kind, count, allocation.outcome);
    return allocation;
  };
}

function createServeBatch(db: Queryable): (kind: string, batch: readonly Waiter[]) => Promise<void> {
  const allocators = new Map<string, { allocateRange: AllocateRange; requests: number }>();

  function allocatorOf(kind: string) {
    const known = allocators.get(kind) ?? { allocateRange: createAllocateRange(db, kind), requests: 0 };
    allocators.set(kind, known);
    return known;
  }

  /**
   * Once a try may have been committed, the request must not change, for as long as one of its waiters can wait: an
   * unchanged retry gets the same ids. Until then, late waiters are left out.
   */
  return async (kind, batch) => {
    const allocator = allocatorOf(kind);
    allocator.requests += 1;
    let waiters = batch;
    let mayBeCommitted = false;
    for (let tries = 0; ; tries++) {
      if (!mayBeCommitted) waiters = refuseLate(waiters);
      const last = waiters.at(-1);
      if (!last || last.deadlineAtMs <= performance.now()) return refuseAll(waiters);
      try {
        return share(waiters, await allocator.allocateRange(allocator.requests, countIds(waiters)));
      } catch (error) {
        const failure = classifyFailure(error);
        if (failure === 'bad-row' || failure === 'broken')
          return answerAll(waiters, { outcome: 'failed', error });
        mayBeCommitted ||= failure === 'unknown';
        await sleep(backoffMs(tries, 100, 400));
      }
    }
  };
}

function countIds(waiters: readonly Waiter[]): number {
  return waiters.reduce((sum, { request: count }) => sum + count, 0);
}

/** In order of arrival, so that a caller that sends its requests one by one sees increasing ids. */
function share(waiters: readonly Waiter[], { first }: IdRange): void {
  let next = first;
  for (const { request: count, answer } of waiters) {
    answer({ outcome: 'allocated', first: next, last: next + count - 1 });
    next += count;
  }
}

function refuseLate(waiters: readonly Waiter[]): readonly Waiter[] {
  const nowMs = performance.now();
  refuseAll(waiters.filter(({ deadlineAtMs }) => deadlineAtMs <= nowMs));
  return waiters.filter(({ deadlineAtMs }) => deadlineAtMs > nowMs);
}

function refuseAll(waiters: readonly Waiter[]): void {
  answerAll(waiters, { outcome: 'unavailable' });
}
