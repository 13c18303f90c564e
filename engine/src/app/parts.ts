import type { Logger } from 'pino';
import { createRefusals, type Refusals } from '../admission/refusals.js';
import type { Acceptance } from '../ledger/accept.js';
import { createAnnounce } from '../ledger/announce.js';
import { createDecide, type Decision, type PurchaseRequest } from '../ledger/decide.js';
import { createSettle, type OrderEvent, type Settlement } from '../ledger/settle.js';
import type { Stock } from '../ledger/stock.js';
import { createAcceptBatch, type OrderRequest } from '../orders/accept.js';
import { createDecisionQueue, type DecisionQueue, type DecisionQueueOptions } from '../orders/decide.js';
import { observeBatches } from '../orders/observe-batches.js';
import { createPay } from '../orders/pay.js';
import { createReadDepth } from '../orders/queue-depth.js';
import { spoil } from '../orders/spoil.js';
import { createStuckSales } from '../orders/stuck-sales.js';
import { traceBatches } from '../orders/trace-batches.js';
import { createCommitCheck } from '../platform/commit-check.js';
import type { Config } from '../platform/config/config.js';
import { createDatabaseClock } from '../platform/database-clock.js';
import { messageOf } from '../platform/errors.js';
import { createFaultBroadcast } from '../platform/fault-broadcast.js';
import { createFaults, type Faults } from '../platform/faults.js';
import { createOutage } from '../platform/outage.js';
import { connectionOptions, type Pool } from '../platform/postgres.js';
import type { Secrets } from '../platform/secrets.js';
import { atMostPerSecond, seldom } from '../platform/telemetry/rarely.js';
import { type Span, type Tracing, traceOf } from '../platform/telemetry/tracing.js';
import { createPostgresQueue } from '../queue/postgres-queue.js';
import type { OrderQueue } from '../queue/queue.js';
import { spoilQueue } from '../queue/spoil.js';
import { traceQueue } from '../queue/trace.js';
import {
  type Batched,
  createCountOrder,
  createInstruments,
  createReadings,
  type Instruments,
} from './instruments.js';
import { createPayments } from './payments.js';
import { createPools } from './pools.js';
import { createShared } from './redis.js';

export type PartsOptions = {
  config: Config;
  secrets: Secrets;
  databaseUrl: string;
  logger: Logger;
  /** Where traces are kept; without it none are. */
  tracing?: Tracing | undefined;
  /** Another way to decide, for baselines and for tests of failures; in batches otherwise. */
  createDecisions?: CreateDecisions;
};

type CreateDecisions = (parts: {
  pool: Pool;
  config: Config;
  faults: Faults;
  instruments: Instruments;
  tracing: Tracing | undefined;
  /** What the queues of decisions have in common, whatever they decide. */
  ofBatches: Omit<DecisionQueueOptions<{ orderId: string; span?: Span | undefined }, unknown>, 'decide'>;
}) => DecisionQueue<PurchaseRequest, Decision>;

export type Parts = Awaited<ReturnType<typeof createParts>>;

/** What all roles of a process share: connections, the queues of decisions, the order queue, payments. */
export async function createParts(options: PartsOptions) {
  const { config, secrets, databaseUrl, logger, tracing, createDecisions = decideInBatches } = options;
  const refusals = createRefusals();
  const instruments = createInstruments();
  const connection = connectionOptions(config.DATABASE_DIRECT_URL ?? databaseUrl, config);
  const warn = (message: string) => (error: unknown) => logger.warn({ reason: messageOf(error) }, message);
  const { pool, decisionPool, decisionConnections } = createPools(databaseUrl, config, logger);
  const commits = createCommitCheck(pool);

  const faults = createFaults({ isEnabled: config.FAULTS_ENABLED });
  const faultBroadcast = createFaultBroadcast(pool, faults);

  // Only an API has a memory of stock to keep; it puts itself here.
  let listener: (stock: Stock) => void = () => {};
  const shared = await createShared({ config, pool, warn });
  const announce = createAnnounce(pool, warn('other processes could not be told of a change'));
  const onStock = (stock: Stock) => {
    listener(stock);
    announce.tell(stock);
    shared?.stock.write(stock);
  };
  const stuckSales = createStuckSales(Math.floor(decisionConnections.wantedCount() / 2));
  const ofBatches = {
    ...{
      onStock,
      stuckSales,
      onEnd: commits.note,
      ...createTellTrouble(logger),
      ...boundsOf(config, refusals),
    },
  };
  const countOrder = createCountOrder(instruments);
  const batched: Batched = (work, decide) =>
    createDecisionQueue({
      decide: traceBatches(
        spoil(
          observeBatches(decide, instruments.batches[work], work === 'accept' ? countOrder : undefined),
          faults,
          config.DECISION_DEADLINE_MS,
        ),
        work,
        tracing,
      ),
      ...ofBatches,
    });

  const broker = config.AMQP_URL
    ? await connectToRabbitmq(config.AMQP_URL, config.AMQP_TIMEOUT)
    : createPostgresQueue({ pool, listen: connection });
  const spoiled = spoilQueue(broker, faults);
  const queue = tracing ? traceQueue(spoiled, tracing, config.AMQP_URL ? 'rabbitmq' : 'postgresql') : spoiled;
  const readDepth = createReadDepth({ pool, queue, isQueueOutside: config.AMQP_URL !== undefined });
  const payments = await createPayments({ config, secrets, logger, faults, tracing });
  const decisions = createDecisions({
    ...{ pool: decisionPool, config, faults, instruments, tracing, ofBatches },
  });
  const settlements = batched<OrderEvent, Settlement>('settle', createSettle(decisionPool));
  const onUnpublished = warn('an accepted order could not be published to the queue yet');
  const accept = createAcceptBatch({ pool: decisionPool, queue, onError: onUnpublished });
  const acceptances = batched<OrderRequest, Acceptance>('accept', accept);
  const outage = createOutage({
    pool: decisionPool,
    onChange: isOn => logger.warn(isOn ? 'PostgreSQL does not answer' : 'PostgreSQL answers again'),
  });
  const pay = createPay({ db: pool, payments, settlements, onError: warn('a payment has no outcome yet') });

  return {
    ...{ config, secrets, logger, warn, connection, pool, decisionConnections, commits, faults },
    ...{ faultBroadcast, queue, readDepth, payments, decisions, acceptances, settlements, pay },
    ...{ shared, refusals, instruments, tracing, outage, clock: createDatabaseClock() },
    pools: { decisions: decisionPool, other: pool },
    readings: createReadings({ pool, readDepth }),
    onStock,
    /** Has every change of stock that this process makes told to `follow`. */
    followStock(follow: (stock: Stock) => void): void {
      listener = follow;
    },
    async close(): Promise<void> {
      outage.close();
      await Promise.all([decisions, settlements, acceptances].map(waiting => waiting.drained()));
      await announce.close();
      await queue.close();
      await shared?.stock.close();
      decisionConnections.close();
      await Promise.all([pool.end(), decisionPool.end()]);
    },
  };
}

async function connectToRabbitmq(url: string, timeoutMs: number): Promise<OrderQueue> {
  const { createRabbitmqQueue } = await import('../queue/rabbitmq-queue.js');
  return createRabbitmqQueue({ url, timeoutMs });
}

const decideInBatches: CreateDecisions = parts => {
  const { pool, config, faults, instruments, tracing, ofBatches } = parts;
  const observed = observeBatches(
    createDecide(pool),
    instruments.batches.decide,
    createCountOrder(instruments),
  );
  return createDecisionQueue({
    decide: traceBatches(spoil(observed, faults, config.DECISION_DEADLINE_MS), 'decide', tracing),
    ...ofBatches,
  });
};

// A few lines a second name enough requests to find what they have in common.
const poisonLinesPerSecondMax = 10;

function createTellTrouble(logger: Logger) {
  const isTold = atMostPerSecond(poisonLinesPerSecondMax);
  return {
    onPoison({ orderId, span }: { orderId: string; span?: Span | undefined }, error: unknown): void {
      if (isTold()) logger.error({ err: error, orderId, ...traceOf(span) }, 'PostgreSQL refuses a request');
    },
    onBroken: seldom(error =>
      logger.error(
        { err: error },
        'PostgreSQL cannot run a statement of the ledger, whatever is asked of it',
      ),
    ),
  };
}

function boundsOf(config: Config, refusals: Refusals) {
  return {
    onAbandoned: (count: number) => {
      refusals.abandoned += count;
    },
    deadlineMs: config.DECISION_DEADLINE_MS,
    queueMax: config.DECISION_QUEUE_MAX,
    batchMax: config.DECISION_BATCH_MAX,
  };
}
