import type { DecidedBatch } from '../ledger/decide.js';
import { type Counts, createCounts } from '../platform/telemetry/counts.js';
import { createHistogram, type Histogram } from '../platform/telemetry/histogram.js';
import type { BatchOptions } from './batch.js';

/** What the batches of one kind of work have come to, in plain numbers. */
export type BatchFigures = {
  size: Histogram;
  /** How long the first of a batch had waited when the batch was sent. */
  ageS: Histogram;
  /** From sending a batch to its outcome. */
  durationS: Histogram;
  /** From when each request was received to its decision. */
  decisionS: Histogram;
  outcomes: Counts;
  /** Batches that failed; mostly they are sent again. */
  failures: () => number;
  countFailure: () => void;
};

const batchSizeBounds = [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000];
export const batchBoundsS = [
  ...[0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075],
  ...[0.1, 0.15, 0.25, 0.5, 1, 2, 5],
];

/** @param shownFromStart outcomes that an alert asks for: their rate wants a series before the first of them. */
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

type Decide<Request, Outcome> = BatchOptions<Request, Outcome>['decide'];

/**
 * Has each batch counted when it is decided, once for all of its requests: nothing is done while anybody waits for the
 * ledger.
 *
 * @param onDecided told of each request with its outcome.
 */
export function observeBatches<
  Request extends { receivedAtMs?: number },
  Outcome extends { outcome: string },
>(
  decide: Decide<Request, Outcome>,
  figures: BatchFigures,
  onDecided: (request: Request, outcome: string) => void = () => {},
): Decide<Request, Outcome> {
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

  return async (saleId, requests) => {
    const sentAtMs = performance.now();
    try {
      const decided = await decide(saleId, requests);
      figures.durationS.observe((performance.now() - sentAtMs) / 1000);
      figures.size.observe(requests.length);
      const [first] = requests;
      if (first?.receivedAtMs !== undefined) figures.ageS.observe((sentAtMs - first.receivedAtMs) / 1000);
      note(requests, decided);
      return decided;
    } catch (error) {
      figures.countFailure();
      throw error;
    }
  };
}
