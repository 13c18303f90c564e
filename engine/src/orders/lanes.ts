/**
 * How a request ends that the ledger did not decide. `overloaded` and `undecided` changed nothing. `unknown` may have: its
 * COMMIT was sent and the answer lost, and only a retry with the same id can tell.
 */
export type Undecided = { outcome: 'overloaded' | 'undecided' | 'unknown' };

export function isUndecided(outcome: { outcome: string }): outcome is Undecided {
  return outcome.outcome === 'overloaded' || outcome.outcome === 'undecided' || outcome.outcome === 'unknown';
}

/** The connection that an answer would go out on. */
type Connection = { readonly destroyed: boolean };

/** How long a request is worth deciding. */
export type Patience = {
  /** `performance.now()` after which its answer comes too late, where that is earlier than for all. */
  deadlineAtMs?: number | undefined;
  connection?: Connection | undefined;
};

export type Waiter<Request, Outcome> = {
  request: Request;
  joinedAtMs: number;
  deadlineAtMs: number;
  /** Asked, not listened to: a listener for each of 30,000 requests a second would cost more than all who go away. */
  connection: Connection | undefined;
  answer: (outcome: Outcome | Undecided) => void;
};

/** Requests that wait for their batch: one lane a sale, each in order of arrival. */
export type Lanes<Request, Outcome> = {
  /** Whether the sale may have no more waiters: there is no room at all, or it has its share. */
  isFull(saleId: number): boolean;
  /** @returns true if this is the first of its lane, so that somebody has to begin serving it. */
  push(saleId: number, waiter: Waiter<Request, Outcome>): boolean;
  /** Takes the next batch out; an empty one removes the lane. */
  take(saleId: number, batchMax: number): Waiter<Request, Outcome>[];
  /** Answers those whose deadline has passed while the batch before them is under way. */
  refuseLate(): void;
  /** Sales being served. */
  laneCount(): number;
  waiting(): number;
  /** Of one sale, those in its batch under way included. */
  inHand(saleId: number): number;
  /** How long the first of one sale has been waiting; of the sale where that is longest, if none is named. 0 where nobody waits. */
  oldestWaitMs(saleId?: number): number;
};

/**
 * How many places one user of a room may have for each that is free: the one that alone wants all of it gets nine tenths,
 * two get nine nineteenths each, and however many want it, some of it stays free for the next. A fixed share would keep more
 * of it from the one hot sale that a process mostly has, and a few stuck ones would fill it all the same.
 */
const placesPerFreeOne = 9;

/** Whether one that has `own` places in a room with `free` left has its share. */
export function hasItsShare(own: number, free: number): boolean {
  return own >= placesPerFreeOne * free;
}

export function createLanes<Request, Outcome>(queueMax: number): Lanes<Request, Outcome> {
  const lanes = new Map<number, Lane<Request, Outcome>>();
  let waitingCount = 0;

  return {
    isFull: saleId => hasItsShare(lanes.get(saleId)?.waiters.length ?? 0, queueMax - waitingCount),
    push(saleId, waiter) {
      waitingCount += 1;
      const lane = lanes.get(saleId);
      if (lane) lane.waiters.push(waiter);
      else lanes.set(saleId, { waiters: [waiter], sealedCount: 0 });
      return lane === undefined;
    },
    take(saleId, batchMax) {
      const lane = lanes.get(saleId);
      const batch = lane?.waiters.splice(0, batchMax) ?? [];
      waitingCount -= batch.length;
      if (lane) lane.sealedCount = batch.length;
      if (batch.length === 0) lanes.delete(saleId);
      return batch;
    },
    refuseLate() {
      const nowMs = performance.now();
      for (const { waiters } of lanes.values()) {
        const late = waiters.filter(({ deadlineAtMs }) => deadlineAtMs <= nowMs);
        if (late.length === 0) continue;
        keepInTime(waiters, nowMs);
        waitingCount -= late.length;
        answerAll(late, { outcome: 'overloaded' });
      }
    },
    inHand(saleId) {
      const lane = lanes.get(saleId);
      return lane ? lane.waiters.length + lane.sealedCount : 0;
    },
    oldestWaitMs(saleId) {
      const counted = saleId === undefined ? lanes.values() : [lanes.get(saleId)];
      let oldestAtMs = Number.POSITIVE_INFINITY;
      for (const lane of counted) {
        oldestAtMs = Math.min(oldestAtMs, lane?.waiters[0]?.joinedAtMs ?? Number.POSITIVE_INFINITY);
      }
      return Math.max(0, performance.now() - oldestAtMs);
    },
    laneCount: () => lanes.size,
    waiting: () => waitingCount,
  };
}

type Lane<Request, Outcome> = { waiters: Waiter<Request, Outcome>[]; sealedCount: number };

// In place: whoever serves the lane holds it, too.
function keepInTime(lane: { deadlineAtMs: number }[], nowMs: number): void {
  let kept = 0;
  for (const waiter of lane) {
    if (waiter.deadlineAtMs <= nowMs) continue;
    lane[kept] = waiter;
    kept += 1;
  }
  lane.length = kept;
}

export function answerAll<Request, Outcome>(
  waiters: readonly Waiter<Request, Outcome>[],
  outcome: Undecided,
): void {
  for (const { answer } of waiters) answer(outcome);
}
