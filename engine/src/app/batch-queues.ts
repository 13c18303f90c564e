import type { Logger } from 'pino';
import type { Acceptance } from '../ledger/accept.js';
import { createDecide, type Decision, type PurchaseRequest } from '../ledger/decide.js';
import { createSettle, type OrderEvent, type Settlement } from '../ledger/settle.js';
import type { Stock } from '../ledger/stock.js';
import { createAcceptBatch, type OrderRequest } from '../orders/accept-and-publish.js';
import { type BatchQueue, type BatchQueueOptions, createBatchQueue } from '../orders/batch-queue.js';
import { createStuckSales } from '../orders/stuck-sales.js';
import type { Pool } from '../platform/postgres.js';
import { atMostPerSecond, seldom } from '../platform/telemetry/rarely.js';
import { type Span, traceOf } from '../platform/telemetry/tracing.js';
import type { OrderQueue } from '../queue/order-queue.js';
import type { Foundation } from './foundation.js';
import { createBatchHooks, type HookedRequest } from './hooks/batch-hooks.js';
import { createCountOrder, type Work } from './instruments.js';

type BatchRequest = HookedRequest & { orderId: string };

/** The options that all queues of a process share, whatever they decide. */
type CommonOptions = Omit<BatchQueueOptions<BatchRequest, unknown>, 'decide' | 'hooks'>;

/** Replaces the way decisions are made, for baselines and for tests of failures. */
export type CreateDecisions = (parts: {
  pool: Pool;
  common: CommonOptions;
}) => BatchQueue<PurchaseRequest, Decision>;

export type BatchQueuesOptions = {
  foundation: Foundation;
  /** Where accepted orders go. */
  queue: OrderQueue;
  onStock: (stock: Stock) => void;
  createDecisions: CreateDecisions | undefined;
};

/** Creates the queues that decide work in batches, one for each kind of work. */
export function createBatchQueues({ foundation, queue, onStock, createDecisions }: BatchQueuesOptions) {
  const { config, logger, warn, pools, decisionConnections, commits } = foundation;
  const { faults, instruments, tracing, refusals } = foundation;
  const decisionPool = pools.decisions;
  const common: CommonOptions = {
    onStock,
    onEnd: commits.note,
    // Half of the connections are kept for sales that are not stuck.
    stuckSales: createStuckSales(Math.floor(decisionConnections.wantedCount() / 2)),
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

  const onUnpublished = warn('an accepted order could not be published to the queue yet');
  const accept = createAcceptBatch({ pool: decisionPool, queue, onError: onUnpublished });
  return {
    decisions:
      createDecisions?.({ pool: decisionPool, common }) ?? createQueue('decide', createDecide(decisionPool)),
    acceptances: createQueue<OrderRequest, Acceptance>('accept', accept),
    settlements: createQueue<OrderEvent, Settlement>('settle', createSettle(decisionPool)),
  };
}

// A few lines a second show enough requests to find what they have in common.
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
