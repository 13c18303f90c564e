import { createKeepGate } from '../admission/gate/shared-stock.js';
import { faultsChannel } from '../faults/fault-broadcast.js';
import { createKeepPartitions } from '../ledger/attempt-partitions.js';
import { buryOverdueOrders } from '../ledger/late-orders.js';
import { createSumSold } from '../ledger/sum-sold.js';
import { createCompensate } from '../orders/compensate.js';
import { createExpire } from '../orders/expire-holds.js';
import { createReconcile } from '../orders/reconcile.js';
import { createRelay } from '../orders/relay-forgotten.js';
import { startWork } from '../orders/work.js';
import type { Job } from '../platform/jobs/job.js';
import { runJobs } from '../platform/jobs/run-jobs.js';
import { createListener } from '../platform/listener.js';
import { createScheduler } from '../scheduler/scheduler.js';
import type { Parts } from './parts.js';
import { createPrune } from './prune.js';
import { createWebhookJobs } from './webhook-jobs.js';

export const roles = ['worker', 'scheduler', 'compensator'] as const;
export type Role = (typeof roles)[number];

/** Starts a role that works in the background. @returns a function that stops it once its current work is done. */
export function startRole(role: Role, parts: Parts): () => Promise<void> {
  return starters[role](parts);
}

const starters: Record<Role, (parts: Parts) => () => Promise<void>> = {
  worker(parts) {
    const { queue, readDepth, pool, decisions, outage, pay, config, warn } = parts;
    const batchMax = config.DECISION_BATCH_MAX;
    const onError = warn('error in the worker');
    const worker = startWork({ queue, db: pool, decisions, outage, pay, batchMax, onError });
    if (config.AMQP_URL === undefined) return worker.stop;
    // Reading the queue's depth shares what this process sees of the queue with the scheduler.
    const share = async () => {
      await readDepth();
      return 0;
    };
    const stopSharing = startJob(parts, { name: 'share-queue-age', everyMs: 5000, run: share });
    return async () => {
      await Promise.all([worker.stop(), stopSharing()]);
    };
  },

  scheduler(parts) {
    const { pool, connection, logger, instruments } = parts;
    const webhooks = createWebhookJobs(parts);
    const jobs = [...scheduledJobs(parts), ...webhooks.jobs];
    const scheduler = createScheduler({ pool, connection, jobs, figures: instruments.jobs, logger });
    return async () => {
      await scheduler.close();
      await webhooks.close();
    };
  },

  compensator(parts) {
    return startJob(parts, { name: 'compensate', everyMs: 250, run: createCompensate(parts.pool) });
  },
};

function startJob({ instruments, logger }: Parts, job: Job): () => Promise<void> {
  const ending = new AbortController();
  const ended = runJobs({ jobs: [job], signal: ending.signal, figures: instruments.jobs, logger });
  return async () => {
    ending.abort();
    await ended;
  };
}

/** Sets the faults that operators have set through another process. @returns a function that stops it. */
export function hearFaults({ connection, faultBroadcast, warn }: Parts): () => Promise<void> {
  return createListener({
    connection: { ...connection, application_name: 'doorbuster-faults' },
    channels: [faultsChannel],
    onNotification: (_channel, payload) => faultBroadcast.hear(payload),
    onConnect: async () => {},
    onHeartbeat: async db => void (await db.query('select 1')),
    onError: warn('error on the connection that receives faults'),
  }).close;
}

// A transaction of some ten milliseconds.
const overdueBatchMax = 1000;
// With 100 rows a lock is held for some 5 ms; purchases of the same sale notice it as one more small batch.
const expiryBatchMax = 100;

function scheduledJobs(parts: Parts): Job[] {
  const { config, pool, queue, readDepth, pay, payments, settlements, warn, onStock, shared } = parts;
  const waitMaxMs = config.QUEUED_ORDER_WAIT_MAX_MINUTES * 60_000;
  const onError = warn('could not reconcile a payment yet');
  return [
    ...(shared ? [createKeepGate(shared.stock)] : []),
    {
      name: 'expire-holds',
      everyMs: 250,
      run: createExpire({ pool, batchMax: expiryBatchMax, onStock }),
    },
    {
      name: 'reconcile-payments',
      everyMs: 500,
      run: createReconcile({ pool, pay, payments, settlements, onError }),
    },
    {
      name: 'relay-forgotten-orders',
      everyMs: 5000,
      run: createRelay({ pool, queue, readDepth }),
    },
    // The statistics sum new orders themselves; this job only keeps that work short.
    {
      name: 'sum-sold',
      everyMs: 15_000,
      run: createSumSold(pool),
    },
    ...(waitMaxMs > 0 ? [createBuryOverdue(pool, waitMaxMs)] : []),
    createPrune(parts),
    {
      name: 'keep-attempt-partitions',
      // Creating a day's partition needs a 50 ms gap without purchases; this is often enough to find one in a busy
      // hour.
      everyMs: 5000,
      run: createKeepPartitions(pool, config.ATTEMPTS_RETENTION_DAYS),
    },
  ];
}

function createBuryOverdue(pool: Parts['pool'], waitMaxMs: number): Job {
  return {
    name: 'bury-overdue-orders',
    everyMs: 5000,
    run: () => buryOverdueOrders(pool, waitMaxMs, overdueBatchMax),
  };
}
