import type { LiveFrame } from '../../http/routes/operator/admin-live.js';
import { requestBoundsS } from '../../http/server/request-counts.js';
import type { LiveSource } from '../../http/streams/live-broadcast.js';
import {
  differenceOf,
  type HistogramReading,
  quantileOf,
  sumOf,
} from '../../platform/telemetry/histogram.js';
import type { ApiFigures, Instruments } from '../instruments.js';
import type { Parts } from '../parts.js';

// Nobody follows more sales than this on one page.
const salesMax = 12;
// Percentiles of a single quiet second would jump; those of five seconds are still current.
const percentilesOverFrames = 5;

type Snapshot = ReturnType<typeof takeSnapshot>;

/**
 * The console's live figures, from what this process counts anyway: rates over the last second, percentiles over the
 * last five.
 */
export function createLiveFigures(parts: Parts, api: ApiFigures): LiveSource<LiveFrame> {
  let snapshots: Snapshot[] = [];

  return {
    begin() {
      snapshots = [takeSnapshot(parts)];
    },
    async compute() {
      const stores = await readStores(parts);
      const now = takeSnapshot(parts);
      const before = snapshots.at(-1) ?? now;
      const oldest = snapshots[0] ?? now;
      snapshots = [...snapshots, now].slice(-percentilesOverFrames);
      return {
        at: new Date().toISOString(),
        process: process.pid,
        ...rateFigures(now, before),
        requests: requestFigures(now, before, oldest, api),
        orders: orderFigures(now, before, oldest, parts),
        protection: protectionFigures(now, before, api),
        breakers: breakersOf(parts),
        ...stores,
      };
    },
  };
}

function takeSnapshot({ instruments, refusals }: Parts) {
  const { batches, orders, gate } = instruments;
  return {
    atMs: performance.now(),
    ...countStatuses(instruments),
    requests: sumOf(
      requestBoundsS,
      instruments.requests.all().map(({ durationS }) => durationS.read()),
    ),
    decisions: batches.decide.decisionS.read(),
    sizes: batches.decide.size.read(),
    orders: sum(orders.entries().map(([, count]) => count)),
    outcomes: new Map([...madeOutcomes(instruments), ...instruments.refusedAttempts.entries()]),
    gate: new Map<string, number>(gate.entries()),
    refused: sum(Object.values(refusals)),
  };
}

function madeOutcomes({ orders }: Instruments): [string, number][] {
  return orders.entries().map(([status, count]) => [status.toLowerCase(), count]);
}

function countStatuses({ requests }: Instruments) {
  const byClass = { ok: 0, refused: 0, failed: 0 };
  for (const { answered } of requests.all()) {
    for (const [status, count] of answered) {
      byClass[status < 400 ? 'ok' : status < 500 ? 'refused' : 'failed'] += count;
    }
  }
  return byClass;
}

function rateFigures(now: Snapshot, before: Snapshot): Pick<LiveFrame, 'outcomes' | 'gate'> {
  return {
    outcomes: [...now.outcomes].map(([outcome, total]) => ({
      outcome,
      total,
      perSecond: rateOf(total, before.outcomes.get(outcome) ?? 0, now, before),
    })),
    gate: [...now.gate].map(([result, count]) => ({
      result,
      perSecond: rateOf(count, before.gate.get(result) ?? 0, now, before),
    })),
  };
}

function requestFigures(
  now: Snapshot,
  before: Snapshot,
  oldest: Snapshot,
  { inFlight }: ApiFigures,
): LiveFrame['requests'] {
  const rate = (name: 'ok' | 'refused' | 'failed') => rateOf(now[name], before[name], now, before);
  return {
    perSecond: rate('ok') + rate('refused') + rate('failed'),
    ok: rate('ok'),
    refused: rate('refused'),
    failed: rate('failed'),
    inFlight: inFlight(),
    ...percentilesOf(differenceOf(now.requests, oldest.requests)),
  };
}

function orderFigures(
  now: Snapshot,
  before: Snapshot,
  oldest: Snapshot,
  { decisions }: Parts,
): LiveFrame['orders'] {
  const sizes = differenceOf(now.sizes, before.sizes);
  const batchCount = sum(sizes.counts);
  return {
    perSecond: rateOf(now.orders, before.orders, now, before),
    batchSize: batchCount === 0 ? null : rounded(sizes.sum / batchCount),
    waiting: decisions.waiting(),
    oldestWaitMs: rounded(decisions.oldestWaitMs()),
    ...percentilesOf(differenceOf(now.decisions, oldest.decisions)),
  };
}

function protectionFigures(
  now: Snapshot,
  before: Snapshot,
  { shedding }: ApiFigures,
): LiveFrame['protection'] {
  const { level, lagMs } = shedding.state();
  return { level, lagMs: rounded(lagMs), refusedPerSecond: rateOf(now.refused, before.refused, now, before) };
}

function breakersOf({ payments, shared, outage }: Parts): LiveFrame['breakers'] {
  const redis = shared && (shared.link.isUp() ? 'up' : 'down');
  return {
    payments: payments.breakerState(),
    redis: redis ?? 'none',
    postgres: outage.isOn() ? 'down' : 'up',
  };
}

async function readStores({
  readings,
}: Parts): Promise<Pick<LiveFrame, 'queue' | 'lateOrders' | 'deadLetters' | 'stock'>> {
  const [queue, late, letters, stock] = await Promise.all([
    readings.queue.get(),
    readings.late_orders.get(),
    readings.dead_letters.get(),
    readings.stock.get(),
  ]);
  return {
    queue: queue ? { ...queue, oldestAgeMs: queue.oldestAgeMs ?? null } : null,
    lateOrders: late?.count ?? null,
    deadLetters: letters ? letters.NEW + letters.COMPENSATED : null,
    stock: stock ? { ...stock, sales: stock.sales.slice(0, salesMax) } : null,
  };
}

function percentilesOf(reading: HistogramReading) {
  const milliseconds = (quantile: number) => {
    const seconds = quantileOf(reading, quantile);
    return seconds === undefined ? null : rounded(seconds * 1000);
  };
  return { p50Ms: milliseconds(0.5), p95Ms: milliseconds(0.95), p99Ms: milliseconds(0.99) };
}

function rateOf(after: number, before: number, now: Snapshot, then: Snapshot): number {
  const seconds = (now.atMs - then.atMs) / 1000;
  return seconds === 0 ? 0 : rounded((after - before) / seconds);
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
