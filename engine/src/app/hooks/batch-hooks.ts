import type { Faults } from '../../faults/faults.js';
import type { DecidedBatch } from '../../ledger/decide.js';
import type { Batch } from '../../orders/send-batch.js';
import type { Ended, Hook } from '../../platform/hooks.js';
import { type Counts, createCounts } from '../../platform/telemetry/counts.js';
import { createHistogram, type Histogram } from '../../platform/telemetry/histogram.js';
import { endSpans, type Span, type Tracing } from '../../platform/telemetry/tracing.js';

/** The batches of one kind of work, in plain numbers. */
export type BatchFigures = {
  size: Histogram;
  /** How long the first request of a batch had waited when the batch was sent. */
  ageS: Histogram;
  /** From sending a batch to its outcome. */
  durationS: Histogram;
  /** From receiving each request to its decision. */
  decisionS: Histogram;
  outcomes: Counts;
  /** Batches that failed; most are sent again. */
  failures: () => number;
  countFailure: () => void;
};

const batchSizeBounds = [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000];
export const batchBoundsS = [
  ...[0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075],
  ...[0.1, 0.15, 0.25, 0.5, 1, 2, 5],
];

/** @param shownFromStart outcomes that an alert uses: a rate needs a series before the first of them occurs. */
export function createBatchFigures(shownFromStart: readonly string[] = []): BatchFigures {
  let failureCount = 0;
  return {
    size: createHistogram(batchSizeBounds),
    ageS: createHistogram(batchBoundsS),
    durationS: createHistogram(batchBoundsS),
    decisionS: createHistogram(batchBoundsS),
    outcomes: createCounts(shownFromStart),
    failures: () => failureCount,
    countFailure: () => {
      failureCount += 1;
    },
  };
}

/** What the hooks of a batch read from each of its requests. */
export type HookedRequest = { receivedAtMs?: number; entrance?: string; span?: Span | undefined };
type BatchHook<Request> = Hook<Batch<Request>, DecidedBatch<{ outcome: string }>>;

export type BatchHookOptions<Request> = {
  figures: BatchFigures;
  /** Called for each request of a batch with its outcome. */
  onDecided?: ((request: Request, outcome: string) => void) | undefined;
  tracing: Tracing | undefined;
  faults: Faults;
  /** How long the oldest request of a batch may wait in total. */
  deadlineMs: number;
};

/**
 * The hooks of the batches of one kind of work: counts, spans if tracing is on, and faults if they are enabled.
 *
 * @param work what the batches do, such as `decide`.
 */
export function createBatchHooks<Request extends HookedRequest>(
  work: string,
  { figures, onDecided, tracing, faults, deadlineMs }: BatchHookOptions<Request>,
): BatchHook<Request>[] {
  return [
    ...(tracing ? [traceBatches<Request>(tracing, work)] : []),
    ...(faults.isEnabled ? [disturbBatches<Request>(faults, deadlineMs)] : []),
    countBatches(figures, onDecided),
  ];
}

/**
 * Counts each batch once it is decided, for all of its requests together, so that nothing is counted while a request
 * waits for the ledger.
 */
function countBatches<Request extends HookedRequest>(
  figures: BatchFigures,
  onDecided: (request: Request, outcome: string) => void = () => {},
): BatchHook<Request> {
  function note(requests: readonly Request[], { decisions }: DecidedBatch<{ outcome: string }>): void {
    const nowMs = performance.now();
    for (const [position, request] of requests.entries()) {
      const outcome = decisions[position]?.outcome ?? 'undecided';
      figures.outcomes.add(outcome);
      if (request.receivedAtMs !== undefined) {
        figures.decisionS.observe((nowMs - request.receivedAtMs) / 1000);
      }
      onDecided(request, outcome);
    }
  }

  return ({ requests }) => {
    const sentAtMs = performance.now();
    return {
      ended(ended) {
        if ('error' in ended) return figures.countFailure();
        figures.durationS.observe((performance.now() - sentAtMs) / 1000);
        figures.size.observe(requests.length);
        const receivedAtMs = requests[0]?.receivedAtMs;
        if (receivedAtMs !== undefined) figures.ageS.observe((sentAtMs - receivedAtMs) / 1000);
        note(requests, ended.result);
      },
    };
  };
}

/**
 * A batch serves many requests, so it cannot be part of any one trace. It has its own trace: it links to the span
 * of each request, and each of those links to it. A batch that is sent again gets another span.
 */
function traceBatches<Request extends HookedRequest>(tracing: Tracing, work: string): BatchHook<Request> {
  return ({ saleId, requests }) => {
    const spans = requests.flatMap(({ span }) => (span?.isRecorded ? [span] : []));
    if (spans.length === 0) return undefined;
    const attributes = {
      'db.system.name': 'postgresql',
      'doorbuster.sale.id': saleId,
      'doorbuster.batch.size': requests.length,
    };
    const batch = tracing.startForAll(`${work} batch`, spans, { kind: 'client', attributes });
    for (const span of spans) span.link(batch);
    return {
      ended(ended: Ended<DecidedBatch<{ outcome: string }>>) {
        if ('result' in ended) {
          for (const [position, { span }] of requests.entries()) {
            if (span?.isRecorded)
              span.set({ 'doorbuster.outcome': ended.result.decisions[position]?.outcome });
          }
        }
        endSpans([batch], ended);
      },
    };
  };
}

/**
 * Applies the faults that are set for the ledger to each batch before its statement is sent, so that a batch that fails
 * this way has written nothing. A fault that lasts longer than the oldest request may wait makes the batch fail, and
 * the queue answers the requests whose deadline has passed.
 */
function disturbBatches<Request extends HookedRequest>(
  faults: Faults,
  deadlineMs: number,
): BatchHook<Request> {
  return ({ requests }) => {
    const nowMs = performance.now();
    const waitedMs = nowMs - (requests[0]?.receivedAtMs ?? nowMs);
    return faults.inject('ledger', deadlineMs - waitedMs)?.then(() => undefined);
  };
}
