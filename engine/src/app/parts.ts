import type { ClientConfig } from 'pg';
import type { Logger } from 'pino';
import { createRefusals } from '../admission/refusals.js';
import { createFaultBroadcast } from '../faults/fault-broadcast.js';
import { createFaults, type Faults } from '../faults/faults.js';
import type { Acceptance } from '../ledger/accept.js';
import { createAnnounce } from '../ledger/announce.js';
import { createSettle, type OrderEvent, type Settlement } from '../ledger/settle.js';
import type { Stock } from '../ledger/stock.js';
import { createAcceptBatch, type OrderRequest } from '../orders/accept-and-publish.js';
import { createPay } from '../orders/pay.js';
import { createReadDepth } from '../orders/queue-depth.js';
import { createCommitCheck } from '../platform/commit-check.js';
import type { Config } from '../platform/config/config.js';
import { createDatabaseClock } from '../platform/database-clock.js';
import { messageOf } from '../platform/errors.js';
import { createOutage } from '../platform/outage.js';
import { connectionOptions, type Pool } from '../platform/postgres.js';
import type { Secrets } from '../platform/secrets.js';
import type { Tracing } from '../platform/telemetry/tracing.js';
import type { OrderQueue } from '../queue/order-queue.js';
import { createPostgresQueue } from '../queue/postgres-queue.js';
import { type CreateDecisions, createBatchQueues } from './batch-queues.js';
import { createPayments } from './choose-payments.js';
import { createQueueHooks } from './hooks/queue-hooks.js';
import { createInstruments, createReadings } from './instruments.js';
import { createPools } from './pools.js';
import { createShared } from './shared-redis.js';

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

export type Parts = Awaited<ReturnType<typeof createParts>>;

/** What all roles of a process share: connections, the queues of decisions, the order queue, payments. */
export async function createParts(options: PartsOptions) {
  const { config, secrets, databaseUrl, logger, tracing } = options;
  const refusals = createRefusals();
  const instruments = createInstruments();
  const connection = connectionOptions(config.DATABASE_DIRECT_URL ?? databaseUrl, config);
  const warn = (message: string) => (error: unknown) => logger.warn({ reason: messageOf(error) }, message);
  const { pool, decisionPool, decisionConnections } = createPools(databaseUrl, config, logger);
  const commits = createCommitCheck(pool);
  const faults = createFaults({ isEnabled: config.FAULTS_ENABLED });
  const shared = await createShared({ config, pool, warn });
  const announce = createAnnounce(pool, warn('other processes could not be told of a change'));
  const { onStock, followStock } = tellStock([announce.tell, ...(shared ? [shared.stock.write] : [])]);

  const queue = await createQueue({ config, pool, connection, tracing, faults });
  const readDepth = createReadDepth({ pool, queue, isQueueOutside: config.AMQP_URL !== undefined });
  const payments = await createPayments({ config, secrets, logger, faults, tracing });
  const batches = createBatchQueues({
    config,
    logger,
    pool: decisionPool,
    connections: decisionConnections.wantedCount(),
    faults,
    instruments,
    tracing,
    refusals,
    onStock,
    onEnd: commits.note,
  });
  const decisions = batches.createDecisions(options.createDecisions);
  const settlements = batches.createQueue<OrderEvent, Settlement>('settle', createSettle(decisionPool));
  const onUnpublished = warn('an accepted order could not be published to the queue yet');
  const accept = createAcceptBatch({ pool: decisionPool, queue, onError: onUnpublished });
  const acceptances = batches.createQueue<OrderRequest, Acceptance>('accept', accept);
  const outage = createOutage({
    pool: decisionPool,
    onChange: isOn => logger.warn(isOn ? 'PostgreSQL does not answer' : 'PostgreSQL answers again'),
  });

  return {
    config,
    secrets,
    logger,
    warn,
    connection,
    pool,
    pools: { decisions: decisionPool, other: pool },
    decisionConnections,
    commits,
    outage,
    clock: createDatabaseClock(),
    shared,
    queue,
    readDepth,
    decisions,
    acceptances,
    settlements,
    payments,
    pay: createPay({ db: pool, payments, settlements, onError: warn('a payment has no outcome yet') }),
    faults,
    faultBroadcast: createFaultBroadcast(pool, faults),
    refusals,
    instruments,
    tracing,
    readings: createReadings({ pool, readDepth }),
    onStock,
    followStock,
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

/** Who is told of each change of stock that this process makes; only an API has a memory to keep, and puts itself first. */
function tellStock(tell: readonly ((stock: Stock) => void)[]) {
  let listener: (stock: Stock) => void = () => {};
  return {
    onStock(stock: Stock): void {
      listener(stock);
      for (const one of tell) one(stock);
    },
    followStock(follow: (stock: Stock) => void): void {
      listener = follow;
    },
  };
}

type QueueOptions = {
  config: Config;
  pool: Pool;
  connection: ClientConfig;
  tracing: Tracing | undefined;
  faults: Faults;
};

async function createQueue(options: QueueOptions): Promise<OrderQueue> {
  const { config, pool, connection, tracing, faults } = options;
  if (config.AMQP_URL === undefined) {
    const hooks = createQueueHooks(tracing, 'postgresql', faults);
    return createPostgresQueue({ pool, listen: connection, hooks });
  }
  const { createRabbitmqQueue } = await import('../queue/rabbitmq-queue.js');
  const hooks = createQueueHooks(tracing, 'rabbitmq', faults);
  return createRabbitmqQueue({ url: config.AMQP_URL, timeoutMs: config.AMQP_TIMEOUT, hooks });
}
