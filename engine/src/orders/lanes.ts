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
  isFull(): boolean;
  /** @returns true if this is the first of its lane, so that somebody has to begin serving it. */
  push(saleId: number, waiter: Waiter<Request, Outcome>): boolean;
  /** Takes the next batch out; an empty one removes the lane. */
  take(saleId: number, batchMax: number): Waiter<Request, Outcome>[];
  /** Answers those whose deadline has passed while the batch before them is under way. */
  refuseLate(): void;
  /** Sales being served. */
  laneCount(): number;
  waiting(): number;
  /** How long the one who waits for longest has been waiting; 0 where nobody does. */
  oldestWaitMs(): number;
};

export function createLanes<Request, Outcome>(queueMax: number): Lanes<Request, Outcome> {
  const lanes = new Map<number, Waiter<Request, Outcome>[]>();
  let waitingCount = 0;

  return {
    isFull: () => waitingCount >= queueMax,
    push(saleId, waiter) {
      waitingCount += 1;
      const lane = lanes.get(saleId);
      if (lane) lane.push(waiter);
      else lanes.set(saleId, [waiter]);
      return lane === undefined;
    },
    take(saleId, batchMax) {
      const batch = lanes.get(saleId)?.splice(0, batchMax) ?? [];
      waitingCount -= batch.length;
      if (batch.length === 0) lanes.delete(saleId);
      return batch;
    },
    refuseLate() {
      const nowMs = performance.now();
      for (const lane of lanes.values()) {
        const late = lane.filter(({ deadlineAtMs }) => deadlineAtMs <= nowMs);
        if (late.length === 0) continue;
        keepInTime(lane, nowMs);
        waitingCount -= late.length;
        answerAll(late, { outcome: 'overloaded' });
      }
    },
    oldestWaitMs() {
      let oldestAtMs = Number.POSITIVE_INFINITY;
      for (const [first] of lanes.values()) if (first) oldestAtMs = Math.min(oldestAtMs, first.joinedAtMs);
      return Math.max(0, performance.now() - oldestAtMs);
    },
    laneCount: () => lanes.size,
    waiting: () => waitingCount,
  };
}

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
