import { type Batcher, createBatcher } from '../platform/batching/batcher.js';
import { hasItsShare } from '../platform/batching/fair-share.js';
import { answerAll, type Waiter } from '../platform/batching/lanes.js';
import { createSendBatch, type SendBatchOptions } from './send-batch.js';
import type { Undecided } from './undecided.js';

/** Requests of one kind, gathered by sale. */
export type BatchQueue<Request, Outcome> = Batcher<number, Request, Outcome | Undecided>;

export type BatchQueueOptions<Request, Outcome> = SendBatchOptions<Request, Outcome> & {
  deadlineMs: number;
  /** Requests that may wait over all sales; one sale gets only its share. Further requests are refused at once. */
  queueMax: number;
  batchMax: number;
  /** Called with the number of requests that a batch left out because their clients had disconnected. */
  onAbandoned?: (count: number) => void;
};

/**
 * The heart of the engine. Requests for a sale gather while its previous batch commits, and then share one transaction.
 * Purchases, acceptances and events of existing orders each have their own batch queue. One batch per sale is in flight,
 * because two connections on the same hot row were slower than one.
 */
export function createBatchQueue<Request, Outcome>({
  deadlineMs,
  queueMax,
  batchMax,
  onAbandoned = () => {},
  ...sending
}: BatchQueueOptions<Request, Outcome>): BatchQueue<Request, Outcome> {
  const sendBatch = createSendBatch(sending);

  // Nothing is taken for clients that have disconnected. From here on the batch is decided as a whole.
  function leaveOutAbandoned(batch: Waiter<Request, Outcome | Undecided>[]) {
    const abandoned = batch.filter(isAbandoned);
    if (abandoned.length === 0) return batch;
    onAbandoned(abandoned.length);
    answerAll(abandoned, overloaded);
    return batch.filter(waiter => !isAbandoned(waiter));
  }

  return createBatcher<number, Request, Outcome | Undecided>({
    serve: (saleId, batch) => sendBatch(saleId, leaveOutAbandoned(batch)),
    batchMax,
    deadlineMs,
    isFull: (own, all) => hasItsShare(own, queueMax - all),
    refusal: overloaded,
  });
}

const overloaded: Undecided = { outcome: 'overloaded' };

function isAbandoned({ connection }: { connection: { readonly destroyed: boolean } | undefined }): boolean {
  return connection?.destroyed === true;
}
