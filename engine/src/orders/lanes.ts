/**
 * How a request ends that the ledger did not decide. `overloaded` and `undecided` changed nothing. `unknown` may have: its
 * COMMIT was sent and the answer lost, and only a retry with the same id can tell.
 */
export type Undecided = { outcome: 'overloaded' | 'undecided' | 'unknown' };

export function isUndecided(outcome: { outcome: string }): outcome is Undecided {
  return outcome.outcome === 'overloaded' || outcome.outcome === 'undecided' || outcome.outcome === 'unknown';
}

export type Waiter<Request, Outcome> = {
  request: Request;
  deadlineAtMs: number;
  answer: (outcome: Outcome | Undecided) => void;
};

/** Requests that wait for their batch: one lane a sale, each in order of arrival, which is the order of deadlines too. */
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
        const firstInTime = lane.findIndex(({ deadlineAtMs }) => deadlineAtMs > nowMs);
        const late = lane.splice(0, firstInTime === -1 ? lane.length : firstInTime);
        waitingCount -= late.length;
        answerAll(late, { outcome: 'overloaded' });
      }
    },
    laneCount: () => lanes.size,
    waiting: () => waitingCount,
  };
}

export function answerAll<Request, Outcome>(
  waiters: readonly Waiter<Request, Outcome>[],
  outcome: Undecided,
): void {
  for (const { answer } of waiters) answer(outcome);
}
