import { createAnnounce } from '../ledger/announce.js';
import type { Stock } from '../ledger/stock.js';
import { createPay } from '../orders/pay.js';
import { createReadDepth } from '../orders/queue-depth.js';
import { createOutage } from '../platform/outage.js';
import { type CreateDecisions, createBatchQueues } from './batch-queues.js';
import { createPayments } from './choose-payments.js';
import { createOrderQueue } from './choose-queue.js';
import { createFoundation, type FoundationOptions } from './foundation.js';
import { createReadings } from './instruments.js';
import { createShared } from './shared-redis.js';

export type PartsOptions = FoundationOptions & {
  /** Replaces the decisions in batches, for baselines and for tests of failures. */
  createDecisions?: CreateDecisions;
};

export type Parts = Awaited<ReturnType<typeof createParts>>;

/** Creates what all roles of a process share: its foundation, the decision queues, the order queue and payments. */
export async function createParts(options: PartsOptions) {
  const foundation = createFoundation(options);
  const { config, logger, warn, pool, pools, decisionConnections } = foundation;
  const shared = await createShared({ config, pool, warn });
  const announce = createAnnounce(pool, warn('other processes could not be notified of a change'));
  const { onStock, followStock } = tellStock([announce.tell, ...(shared ? [shared.stock.write] : [])]);
  const queue = await createOrderQueue(foundation);
  const readDepth = createReadDepth({ pool, queue, isQueueOutside: config.AMQP_URL !== undefined });
  const payments = await createPayments(foundation);
  const { decisions, acceptances, settlements } = createBatchQueues({
    foundation,
    queue,
    onStock,
    createDecisions: options.createDecisions,
  });
  const outage = createOutage({
    pool: pools.decisions,
    onChange: isOn => logger.warn(isOn ? 'PostgreSQL does not answer' : 'PostgreSQL answers again'),
  });

  return {
    ...foundation,
    shared,
    queue,
    readDepth,
    decisions,
    acceptances,
    settlements,
    payments,
    pay: createPay({ db: pool, payments, settlements, onError: warn('a payment has no outcome yet') }),
    outage,
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
      await Promise.all([pool.end(), pools.decisions.end()]);
    },
  };
}

/**
 * Passes each change of stock that this process makes to its listeners. An API, which keeps a copy in memory, is first.
 */
function tellStock(tell: readonly ((stock: Stock) => void)[]) {
  let listener: (stock: Stock) => void = () => {};
  return {
    onStock(stock: Stock): void {
      listener(stock);
      for (const one of tell) one(stock);
    },
    /** Passes every change to `follow`. */
    followStock(follow: (stock: Stock) => void): void {
      listener = follow;
    },
  };
}
