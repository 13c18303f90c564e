import { readIds } from '../contract/ids.js';
import { requestHead } from '../http/request.js';
import type { Target } from '../http/target.js';
import { isUnknown } from '../measure/outcomes.js';
import { createRecorder } from '../measure/recorder.js';
import { AcknowledgedOrders } from '../verdict/acknowledged.js';
import { createIdTally } from './id-tally.js';
import type { Traffic } from './traffic.js';

/** The mix of requests for ids: of each hundred in a row, a fixed number ask for one id, the others for a batch. */
export interface IdRequests {
  readonly batchSize: number;
  readonly singlesPercent: number;
}

export interface IdTrafficOptions {
  readonly target: Target;
  readonly apiKey: string | null;
  readonly isOpenLoop: boolean;
}

// Coprime to 100, so that each hundred in a row takes every value once, spread over the whole range.
const STRIDE = 61;

/** Requests for single ids and batches, and a tally of the ids received. */
export function idTraffic(requests: IdRequests, options: IdTrafficOptions): Traffic {
  const tally = createIdTally();
  const isSingle = (ordinal: number) => ((ordinal % 100) * STRIDE) % 100 < requests.singlesPercent;
  const countOf = (ordinal: number) => (isSingle(ordinal) ? 1 : requests.batchSize);
  const body = JSON.stringify({ count: requests.batchSize });
  const single = `${requestHead({ ...options, path: '/api/users' }, 0)}\r\n`;
  const batch = `${requestHead({ ...options, path: '/api/users/batch' }, body.length)}\r\n${body}`;
  const recorder = createRecorder({
    read(status, answer, ordinal) {
      const { slug, first } = readIds(status, answer, isSingle(ordinal) ? null : requests.batchSize);
      if (first !== null) tally.given(ordinal, first, countOf(ordinal));
      return { slug, orderId: null };
    },
    acknowledged: new AcknowledgedOrders(0),
    isOpenLoop: options.isOpenLoop,
    onAcknowledged() {},
    onCounted(ordinal, status, slug) {
      if (slug !== 'allocated') tally.refused(ordinal, countOf(ordinal), isUnknown({ status, slug }));
    },
  });
  return {
    recorder,
    write(ordinal) {
      tally.asked(ordinal);
      return isSingle(ordinal) ? single : batch;
    },
    followUps: null,
    roads: [],
    ids: tally,
  };
}
