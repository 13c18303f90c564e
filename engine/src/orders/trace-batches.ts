import { endAfter, type Span, type Tracing } from '../platform/telemetry/tracing.js';
import type { BatchOptions } from './batch.js';

type Decide<Request, Outcome> = BatchOptions<Request, Outcome>['decide'];

/**
 * A batch serves many requests, so that it can be part of none of their traces: it is a trace of its own, linked to the span
 * of each of them, and each of them is linked to it. A batch that is sent again is another span.
 *
 * @param work what the batch does, such as `decide`.
 */
export function traceBatches<
  Request extends { span?: Span | undefined },
  Outcome extends { outcome: string },
>(decide: Decide<Request, Outcome>, work: string, tracing: Tracing | undefined): Decide<Request, Outcome> {
  if (!tracing) return decide;
  return async (saleId, requests) => {
    const spans = requests.flatMap(({ span }) => (span?.isRecorded ? [span] : []));
    if (spans.length === 0) return decide(saleId, requests);
    const attributes = {
      'db.system.name': 'postgresql',
      'doorbuster.sale.id': saleId,
      'doorbuster.batch.size': requests.length,
    };
    const batch = tracing.startForAll(`${work} batch`, spans, { kind: 'client', attributes });
    for (const span of spans) span.link(batch);
    return endAfter([batch], async () => {
      const decided = await decide(saleId, requests);
      for (const [position, { span }] of requests.entries()) {
        if (span?.isRecorded) span.set({ 'doorbuster.outcome': decided.decisions[position]?.outcome });
      }
      return decided;
    });
  };
}
