import { type GateAnswer, gateAnswers } from '../admission/gate/ask-gate.js';
import type { Shedding } from '../admission/shedding.js';
import { type LiveStocks, readLiveStock } from '../catalog/live-stock.js';
import { createRequestCounts } from '../http/server/request-counts.js';
import { type AllocateIdsOptions, idOutcomes } from '../ids/allocate.js';
import { countUnpartitioned } from '../ledger/attempt-partitions.js';
import type { AuditReport } from '../ledger/audit.js';
import { countOpenDeadLetters } from '../ledger/dead-letters.js';
import { type LateOrders, readLateOrders } from '../ledger/late-orders.js';
import type { ReadDepth } from '../orders/queue-depth.js';
import { createJobFigures } from '../platform/jobs/job-figures.js';
import type { Pool } from '../platform/postgres.js';
import { createCounts } from '../platform/telemetry/counts.js';
import { createRecentReading, type RecentReading } from '../platform/telemetry/recent-reading.js';
import type { Depth } from '../queue/order-queue.js';
import { readWebhookBacklog, type WebhookBacklog } from '../webhooks/backlog.js';
import { tryOutcomes } from '../webhooks/deliver.js';
import { createBatchFigures } from './hooks/batch-hooks.js';

/** The kinds of work that are decided in batches. */
export type Work = 'decide' | 'accept' | 'settle';

/** Figures of an API besides what it counts. */
export type ApiFigures = {
  inFlight: () => number;
  shedding: Pick<Shedding, 'state'>;
  droppedAttempts: () => number;
};

export type Instruments = ReturnType<typeof createInstruments>;

/**
 * What this process counts, in plain numbers: the parts that count write it, the metrics and the live page read it.
 * Counting is always on, because the console's live page needs it even without metrics.
 */
export function createInstruments() {
  let lastAudit: { atMs: number; report: AuditReport } | undefined;
  return {
    requests: createRequestCounts(),
    batches: {
      decide: createBatchFigures(),
      accept: createBatchFigures(),
      settle: createBatchFigures(['declined']),
    } satisfies Record<Work, unknown>,
    orders: createCounts(['QUEUED', 'RESERVED', 'CONFIRMED']),
    refusedAttempts: createCounts(),
    gate: createCounts<GateAnswer>(gateAnswers),
    ids: { allocated: createCounts(), requests: createCounts(idOutcomes) },
    webhookTries: createCounts(tryOutcomes),
    jobs: createJobFigures(),
    audit: {
      last: () => lastAudit,
      note(report: AuditReport): void {
        lastAudit = { atMs: Date.now(), report };
      },
    },
  };
}

type OrderStatus = 'QUEUED' | 'RESERVED' | 'CONFIRMED';

const createdAs: Partial<Record<string, OrderStatus>> = {
  queued: 'QUEUED',
  reserved: 'RESERVED',
  confirmed: 'CONFIRMED',
};

/** Counts the orders that a batch of decisions or acceptances made. A queued order counts when it is accepted. */
export function createCountOrder({ orders }: Instruments) {
  return ({ entrance }: { entrance?: string }, outcome: string): void => {
    const status = createdAs[outcome];
    if (status && (entrance !== 'queued' || status === 'QUEUED')) orders.add(status);
  };
}

/** Counts the ids that are allocated, and the requests for ids. */
export function createCountIds({ ids }: Instruments): Required<AllocateIdsOptions>['onAnswer'] {
  return (kind, count, outcome) => {
    ids.requests.add(outcome);
    if (outcome === 'allocated') ids.allocated.add(kind, count);
  };
}

/** Figures that have to be queried, at most once a second; the same for every process. */
export type Readings = {
  queue: RecentReading<Depth>;
  stock: RecentReading<LiveStocks>;
  late_orders: RecentReading<LateOrders>;
  dead_letters: RecentReading<{ NEW: number; COMPENSATED: number }>;
  webhooks: RecentReading<WebhookBacklog>;
  attempts: RecentReading<number>;
};

// Each sale makes four series. All sales under way are counted, but only the latest of them, up to this number, are
// shown.
export const salesShownMax = 100;

export function createReadings({ pool, readDepth }: { pool: Pool; readDepth: ReadDepth }): Readings {
  return {
    queue: createRecentReading(readDepth),
    stock: createRecentReading(() => readLiveStock(pool, salesShownMax)),
    late_orders: createRecentReading(() => readLateOrders(pool)),
    dead_letters: createRecentReading(() => countOpenDeadLetters(pool)),
    webhooks: createRecentReading(() => readWebhookBacklog(pool)),
    attempts: createRecentReading(() => countUnpartitioned(pool)),
  };
}
