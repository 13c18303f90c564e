import { type BatchOptions, createDecideBatch } from './batch.js';
import { createLanes, type Undecided } from './lanes.js';

export type DecisionQueue<Request, Outcome> = {
  /** Joins the sale's open batch. Always resolves: by the deadline, or when the statement under way then has timed out. */
  join(saleId: number, request: Request): Promise<Outcome | Undecided>;
  /** Resolves when every request that had joined is decided. */
  drained(): Promise<void>;
  /** Requests that wait for their batch, over all sales. */
  waiting(): number;
};

export type DecisionQueueOptions<Request, Outcome> = BatchOptions<Request, Outcome> & {
  deadlineMs: number;
  /** Requests waiting over all sales; one more is refused at once. */
  queueMax: number;
  batchMax: number;
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
  ...batch
}: DecisionQueueOptions<Request, Outcome>): DecisionQueue<Request, Outcome> {
  const decideBatch = createDecideBatch(batch);
  const lanes = createLanes<Request, Outcome>(queueMax);
  let onDrained: (() => void)[] = [];
  let sweeper: NodeJS.Timeout | undefined;

  function join(saleId: number, request: Request): Promise<Outcome | Undecided> {
    if (lanes.isFull()) return Promise.resolve({ outcome: 'overloaded' });
    return new Promise(answer => {
      const isFirst = lanes.push(saleId, { request, deadlineAtMs: performance.now() + deadlineMs, answer });
      if (!isFirst) return;
      sweeper ??= setInterval(lanes.refuseLate, sweepEveryMs).unref();
      // What else arrives in this turn of the event loop shares the first batch.
      setImmediate(() => serve(saleId));
    });
  }

  async function serve(saleId: number): Promise<void> {
    for (let next = lanes.take(saleId, batchMax); next.length > 0; next = lanes.take(saleId, batchMax)) {
      await decideBatch(saleId, next);
    }
    if (lanes.laneCount() > 0) return;
    clearInterval(sweeper);
    sweeper = undefined;
    for (const resolve of onDrained) resolve();
    onDrained = [];
  }

  return {
    join,
    drained: () =>
      lanes.laneCount() === 0 ? Promise.resolve() : new Promise(resolve => onDrained.push(resolve)),
    waiting: lanes.waiting,
  };
}
