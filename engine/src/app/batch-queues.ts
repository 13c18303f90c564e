import type { Logger } from 'pino';
import type { Refusals } from '../admission/refusals.js';
import type { Faults } from '../faults/faults.js';
import { createDecide, type Decision, type PurchaseRequest } from '../ledger/decide.js';
import type { Stock } from '../ledger/stock.js';
import { type BatchQueue, type BatchQueueOptions, createBatchQueue } from '../orders/batch-queue.js';
import { createStuckSales } from '../orders/stuck-sales.js';
import type { Config } from '../platform/config/config.js';
import type { Pool } from '../platform/postgres.js';
import { atMostPerSecond, seldom } from '../platform/telemetry/rarely.js';
import { type Span, type Tracing, traceOf } from '../platform/telemetry/tracing.js';
import { createBatchHooks, type HookedRequest } from './hooks/batch-hooks.js';
import { createCountOrder, type Instruments, type Work } from './instruments.js';

type BatchRequest = HookedRequest & { orderId: string };

/** The options that all queues of a process share, whatever they decide. */
type CommonOptions = Omit<BatchQueueOptions<BatchRequest, unknown>, 'decide' | 'hooks'>;

/** Replaces the way decisions are made, for baselines and for tests of failures. */
export type CreateDecisions = (parts: {
  pool: Pool;
  common: CommonOptions;
}) => BatchQueue<PurchaseRequest, Decision>;

export type BatchQueuesOptions = {
  config: Config;
  logger: Logger;
  pool: Pool;
  /** Connections that the queues share. */
  connections: number;
  faults: Faults;
  instruments: Instruments;
  tracing: Tracing | undefined;
  refusals: Refusals;
  onStock: (stock: Stock) => void;
  onEnd: (error?: unknown) => void;
};

/** Creates the queues that decide work in batches, one for each kind of work. */
export function createBatchQueues(options: BatchQueuesOptions) {
  const { config, logger, pool, faults, instruments, tracing, refusals } = options;
  const common: CommonOptions = {
    onStock: options.onStock,
    onEnd: options.onEnd,
    // Half of the connections are kept for sales that are not stuck.
    stuckSales: createStuckSales(Math.floor(options.connections / 2)),
    ...createTellTrouble(logger),
    onAbandoned(count) {
      refusals.abandoned += count;
    },
    deadlineMs: config.DECISION_DEADLINE_MS,
    queueMax: config.DECISION_QUEUE_MAX,
    batchMax: config.DECISION_BATCH_MAX,
  };
  const countOrder = createCountOrder(instruments);

  const createQueue = <Request extends BatchRequest, Outcome extends { outcome: string }>(
    work: Work,
    decide: BatchQueueOptions<Request, Outcome>['decide'],
  ): BatchQueue<Request, Outcome> =>
    createBatchQueue({
      ...common,
      decide,
      hooks: createBatchHooks<Request>(work, {
        figures: instruments.batches[work],
        onDecided: work === 'settle' ? undefined : countOrder,
        tracing,
        faults,
        deadlineMs: config.DECISION_DEADLINE_MS,
      }),
    });

  return {
    createQueue,
    createDecisions: (given?: CreateDecisions): BatchQueue<PurchaseRequest, Decision> =>
      given?.({ pool, common }) ?? createQueue('decide', createDecide(pool)),
  };
}

// A few lines a second name enough requests to find what they have in common.
const poisonLinesPerSecondMax = 10;

function createTellTrouble(logger: Logger) {
  const isTold = atMostPerSecond(poisonLinesPerSecondMax);
  return {
    onPoison({ orderId, span }: { orderId: string; span?: Span | undefined }, error: unknown): void {
      if (isTold()) logger.error({ err: error, orderId, ...traceOf(span) }, 'PostgreSQL refused a request');
    },
    onBroken: seldom(error =>
      logger.error({ err: error }, 'PostgreSQL cannot run a statement of the ledger, for any request'),
    ),
  };
}
