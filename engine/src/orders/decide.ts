import { type BatchOptions, createDecideBatch } from './batch.js';
import { answerAll, createLanes, type Patience, type Undecided, type Waiter } from './lanes.js';

export type DecisionQueue<Request, Outcome> = {
  /** Joins the sale's open batch. Always resolves: by the deadline, or when the statement under way then has timed out. */
  join(saleId: number, request: Request, patience?: Patience): Promise<Outcome | Undecided>;
  /** Resolves when every request that had joined is decided. */
  drained(): Promise<void>;
  /** Requests that wait for their batch, over all sales. */
  waiting(): number;
  /** Requests of one sale that are not answered yet, whether they wait or are in its batch. */
  inHand(saleId: number): number;
  /** How long the first of one sale has been waiting; of the sale where that is longest, if none is named. 0 where nobody waits. */
  oldestWaitMs(saleId?: number): number;
};

export type DecisionQueueOptions<Request, Outcome> = BatchOptions<Request, Outcome> & {
  deadlineMs: number;
  /** Requests waiting over all sales, of which one sale gets its share; one more is refused at once. */
  queueMax: number;
  batchMax: number;
  /** Told how many of a batch had gone away before it was sealed, and were left out. */
  onAbandoned?: (count: number) => void;
};

const sweepEveryMs = 50;

/**
 * The heart of the engine. Requests for a sale gather while its previous batch commits, and are then decided together.
 * Purchases, acceptances into the queue, and what happens to orders later all go this way, each through a queue of its own.
 * No timer is needed: under load batches grow by themselves, and alone a request is a batch of one. One batch per sale
 * is in flight, since two connections on the same hot row were slower than one.
 */
export function createDecisionQueue<Request, Outcome>({
  deadlineMs,
  queueMax,
  batchMax,
  onAbandoned = () => {},
  ...batch
}: DecisionQueueOptions<Request, Outcome>): DecisionQueue<Request, Outcome> {
  const decideBatch = createDecideBatch(batch);
  const lanes = createLanes<Request, Outcome>(queueMax);
  let onDrained: (() => void)[] = [];
  let sweeper: NodeJS.Timeout | undefined;

  function join(
    saleId: number,
    request: Request,
    { deadlineAtMs = Number.POSITIVE_INFINITY, connection }: Patience = {},
  ): Promise<Outcome | Undecided> {
    if (lanes.isFull(saleId)) return Promise.resolve({ outcome: 'overloaded' });
    return new Promise(answer => {
      const joinedAtMs = performance.now();
      const isFirst = lanes.push(saleId, {
        request,
        connection,
        answer,
        joinedAtMs,
        deadlineAtMs: Math.min(deadlineAtMs, joinedAtMs + deadlineMs),
      });
      if (!isFirst) return;
      sweeper ??= setInterval(lanes.refuseLate, sweepEveryMs).unref();
      // What else arrives in this turn of the event loop shares the first batch.
      setImmediate(() => serve(saleId));
    });
  }

  async function serve(saleId: number): Promise<void> {
    for (let next = lanes.take(saleId, batchMax); next.length > 0; next = lanes.take(saleId, batchMax)) {
      await decideBatch(saleId, leaveOutAbandoned(next));
    }
    if (lanes.laneCount() > 0) return;
    clearInterval(sweeper);
    sweeper = undefined;
    for (const resolve of onDrained) resolve();
    onDrained = [];
  }

  // Whoever has gone away is not told, and nothing is taken for them. From here on the batch is decided as a whole.
  function leaveOutAbandoned(batch: Waiter<Request, Outcome>[]): Waiter<Request, Outcome>[] {
    const abandoned = batch.filter(isAbandoned);
    if (abandoned.length === 0) return batch;
    onAbandoned(abandoned.length);
    answerAll(abandoned, { outcome: 'overloaded' });
    return batch.filter(waiter => !isAbandoned(waiter));
  }

  return {
    join,
    drained: () =>
      lanes.laneCount() === 0 ? Promise.resolve() : new Promise(resolve => onDrained.push(resolve)),
    waiting: lanes.waiting,
    inHand: lanes.inHand,
    oldestWaitMs: lanes.oldestWaitMs,
  };
}

function isAbandoned({ connection }: { connection: { readonly destroyed: boolean } | undefined }): boolean {
  return connection?.destroyed === true;
}
