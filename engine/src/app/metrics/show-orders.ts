import { sumOf } from '../../platform/telemetry/histogram.js';
import type { Metrics, Sample } from '../../platform/telemetry/metrics.js';
import { type BatchFigures, batchBoundsS } from '../hooks/batch-hooks.js';
import type { Parts } from '../parts.js';

/** How an API or a worker decides orders. */
export function showOrders(metrics: Metrics, parts: Parts): void {
  showDecisions(metrics, parts);
  showBatches(metrics, parts);
  showWaiting(metrics, parts);
}

function showDecisions({ counter, histogram }: Metrics, { instruments }: Parts): void {
  const { orders, batches } = instruments;
  counter(
    {
      name: 'orders_created_total',
      help: 'Orders created, by initial status',
      labels: ['status'],
    },
    () => orders.entries().map(([status, count]) => [{ status }, count]),
  );
  counter(
    {
      name: 'doorbuster_decisions_total',
      help: 'Requests that the ledger decided, by work and outcome',
      labels: ['work', 'outcome'],
    },
    () =>
      Object.entries(batches).flatMap(([work, { outcomes }]) =>
        outcomes.entries().map(([outcome, count]): Sample => [{ work, outcome }, count]),
      ),
  );
  histogram(
    {
      name: 'doorbuster_decision_duration_seconds',
      help: 'Time from receiving a purchase to its decision',
    },
    () => [[{}, batches.decide.decisionS.read()]],
  );
  // Both lock the row in their first step and release it at COMMIT, which is when they are answered.
  histogram(
    {
      name: 'inventory_lock_duration_seconds',
      help: 'Time from sending a batch to its COMMIT: the wait for the stock row, the lock itself, and the round trip',
    },
    () => [[{}, sumOf(batchBoundsS, [batches.decide.durationS.read(), batches.settle.durationS.read()])]],
  );
}

function showBatches({ counter, histogram }: Metrics, { instruments }: Parts): void {
  const ofEach = <Value>(read: (figures: BatchFigures) => Value) => {
    return () =>
      Object.entries(instruments.batches).map(([work, figures]): Sample<Value> => [{ work }, read(figures)]);
  };
  const labels = ['work'];
  histogram(
    { name: 'doorbuster_batch_size', help: 'Requests decided together', labels },
    ofEach(({ size }) => size.read()),
  );
  histogram(
    {
      name: 'doorbuster_batch_age_seconds',
      help: 'How long the first request of a batch had waited when the batch was sent',
      labels,
    },
    ofEach(({ ageS }) => ageS.read()),
  );
  histogram(
    {
      name: 'doorbuster_batch_duration_seconds',
      help: 'Time from sending a batch to its outcome; for acceptances, including publishing',
      labels,
    },
    ofEach(({ durationS }) => durationS.read()),
  );
  counter(
    { name: 'doorbuster_batch_failures_total', help: 'Failed batch statements, including retries', labels },
    ofEach(({ failures }) => failures()),
  );
}

function showWaiting({ gauge }: Metrics, parts: Parts): void {
  const queues = {
    decide: parts.decisions,
    accept: parts.acceptances,
    settle: parts.settlements,
  };
  const labels = ['work'];
  gauge({ name: 'doorbuster_decisions_waiting', help: 'Requests waiting for their batch', labels }, () =>
    Object.entries(queues).map(([work, { waiting }]) => [{ work }, waiting()]),
  );
  gauge(
    {
      name: 'doorbuster_decisions_oldest_wait_seconds',
      help: 'How long the oldest request that waits for its batch has waited',
      labels,
    },
    () => Object.entries(queues).map(([work, { oldestWaitMs }]) => [{ work }, oldestWaitMs() / 1000]),
  );
}
