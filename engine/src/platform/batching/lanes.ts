/** How long the answer to a request is useful. */
export type Patience = {
  /** `performance.now()` after which the answer is too late, if earlier than the common deadline. */
  deadlineAtMs?: number | undefined;
  connection?: Connection | undefined;
};

/** The connection that the answer would use. */
type Connection = { readonly destroyed: boolean };

export type Waiter<Request, Outcome> = {
  request: Request;
  joinedAtMs: number;
  deadlineAtMs: number;
  /** The queue checks it rather than listening: a listener for each of 30,000 requests a second would cost too much. */
  connection: Connection | undefined;
  answer: (outcome: Outcome) => void;
};

/** Requests that wait for their batch: one lane per key, each in order of arrival. */
export type Lanes<Key, Request, Outcome> = {
  /** Waiters of one lane, without those in its current batch. */
  waitingIn(key: Key): number;
  /** @returns true if this is the first of its lane, so that the caller must start serving it. */
  push(key: Key, waiter: Waiter<Request, Outcome>): boolean;
  /** Takes the next batch out; an empty one removes the lane. */
  take(key: Key, batchMax: number): Waiter<Request, Outcome>[];
  /** Takes out the waiters whose deadline has passed while the previous batch is in progress. */
  takeLate(): Waiter<Request, Outcome>[];
  /** Lanes being served. */
  laneCount(): number;
  waiting(): number;
  /** Requests of one lane, including those in its current batch. */
  inHand(key: Key): number;
  /** How long the oldest request of this lane has waited; without a key, the longest wait of all lanes. 0 if none waits. */
  oldestWaitMs(key?: Key): number;
};

export function createLanes<Key, Request, Outcome>(): Lanes<Key, Request, Outcome> {
  const lanes = new Map<Key, Lane<Request, Outcome>>();
  let waitingCount = 0;

  return {
    waitingIn: key => lanes.get(key)?.waiters.length ?? 0,
    push(key, waiter) {
      waitingCount += 1;
      const lane = lanes.get(key);
      if (lane) lane.waiters.push(waiter);
      else lanes.set(key, { waiters: [waiter], sealedCount: 0 });
      return lane === undefined;
    },
    take(key, batchMax) {
      const lane = lanes.get(key);
      const batch = lane?.waiters.splice(0, batchMax) ?? [];
      waitingCount -= batch.length;
      if (lane) lane.sealedCount = batch.length;
      if (batch.length === 0) lanes.delete(key);
      return batch;
    },
    takeLate() {
      const nowMs = performance.now();
      const taken: Waiter<Request, Outcome>[] = [];
      for (const { waiters } of lanes.values()) {
        const late = waiters.filter(({ deadlineAtMs }) => deadlineAtMs <= nowMs);
        if (late.length === 0) continue;
        keepInTime(waiters, nowMs);
        waitingCount -= late.length;
        // One by one: the number of arguments of a call is bounded, and there may be more waiters than that.
        for (const waiter of late) taken.push(waiter);
      }
      return taken;
    },
    inHand(key) {
      const lane = lanes.get(key);
      return lane ? lane.waiters.length + lane.sealedCount : 0;
    },
    oldestWaitMs(key) {
      const counted = key === undefined ? lanes.values() : [lanes.get(key)];
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

// In place, because the code that serves the lane refers to the same array.
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
  outcome: NoInfer<Outcome>,
): void {
  for (const { answer } of waiters) answer(outcome);
}
