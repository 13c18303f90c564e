import { answerAll, createLanes, type Patience, type Waiter } from './lanes.js';

/** Gathers the requests of each key while its previous batch is in progress. */
export type Batcher<Key, Request, Outcome> = {
  /**
   * Adds a request to the open batch of its key. Always answers: at the deadline, or when its batch has been served.
   * `answer` must not throw: the other requests of the batch still wait for theirs.
   */
  add(key: Key, request: Request, answer: (outcome: Outcome) => void, patience?: Patience): void;
  /** The same for callers that can afford a promise. */
  join(key: Key, request: Request, patience?: Patience): Promise<Outcome>;
  /** Resolves when every request that has joined is answered. */
  drained(): Promise<void>;
  /** Requests that wait for their batch, over all keys. */
  waiting(): number;
  /** Requests of one key that are not answered yet, both waiting and in its current batch. */
  inHand(key: Key): number;
  /** How long the oldest request of this key has waited; without a key, the longest wait of all keys. 0 if none waits. */
  oldestWaitMs(key?: Key): number;
};

export type BatcherOptions<Key, Request, Outcome> = {
  /** Must answer every waiter of a batch, whatever fails; the key's next batch begins when this resolves. */
  serve: (key: Key, batch: Waiter<Request, Outcome>[]) => Promise<void>;
  /** Requests in one batch; the rest wait for the next. */
  batchMax: number;
  /** How long a request may wait for its batch to begin. */
  deadlineMs: number;
  /** Whether a key that has `own` of the `all` waiting requests may add no more. */
  isFull: (own: number, all: number) => boolean;
  /** The answer to a request that finds no room or has waited too long. */
  refusal: Outcome;
};

const sweepEveryMs = 50;

/**
 * Needs no timer: under load batches grow by themselves, and a single request is a batch of one. Each key has one
 * batch in progress at a time.
 */
export function createBatcher<Key, Request, Outcome>(
  options: BatcherOptions<Key, Request, Outcome>,
): Batcher<Key, Request, Outcome> {
  const { serve, batchMax, deadlineMs, isFull, refusal } = options;
  const lanes = createLanes<Key, Request, Outcome>();
  let onDrained: (() => void)[] = [];
  let sweeper: NodeJS.Timeout | undefined;

  function add(
    key: Key,
    request: Request,
    answer: (outcome: Outcome) => void,
    { deadlineAtMs = Number.POSITIVE_INFINITY, connection }: Patience = {},
  ) {
    if (isFull(lanes.waitingIn(key), lanes.waiting())) return answer(refusal);
    const joinedAtMs = performance.now();
    const isFirst = lanes.push(key, {
      request,
      connection,
      answer,
      joinedAtMs,
      deadlineAtMs: Math.min(deadlineAtMs, joinedAtMs + deadlineMs),
    });
    if (!isFirst) return;
    sweeper ??= setInterval(() => answerAll(lanes.takeLate(), refusal), sweepEveryMs).unref();
    // Other requests that arrive in this turn of the event loop share the first batch.
    setImmediate(() => serveAll(key));
  }

  async function serveAll(key: Key): Promise<void> {
    for (let next = lanes.take(key, batchMax); next.length > 0; next = lanes.take(key, batchMax)) {
      await serve(key, next);
    }
    if (lanes.laneCount() > 0) return;
    clearInterval(sweeper);
    sweeper = undefined;
    for (const resolve of onDrained) resolve();
    onDrained = [];
  }

  return {
    add,
    join: (key, request, patience) => new Promise(answer => add(key, request, answer, patience)),
    drained: () =>
      lanes.laneCount() === 0 ? Promise.resolve() : new Promise(resolve => onDrained.push(resolve)),
    waiting: lanes.waiting,
    inHand: lanes.inHand,
    oldestWaitMs: lanes.oldestWaitMs,
  };
}
