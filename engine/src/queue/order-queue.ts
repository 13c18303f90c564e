import { OperatingError } from '../platform/errors.js';
import type { Hook } from '../platform/hooks.js';
import type { Span } from '../platform/telemetry/tracing.js';

/** A hint that this order waits to be decided. The order itself is in the ledger, which is the only source of truth. */
export type QueuedOrder = {
  orderId: string;
  saleId: number;
  shopperId: string;
  quantity: number;
  forceFail?: boolean;
  /** The span that sent it, if tracing is on. */
  traceparent?: string | undefined;
};

/** One try to deliver a message. */
export type Delivery = {
  message: QueuedOrder;
  /**
   * Counted from 1, without deliveries that were settled with `laterInMs`. A broker that crashed may have forgotten some. A
   * broker that prefetches may count messages that a consumer never handled before it died.
   */
  deliveries: number;
  /** The span of this try, if tracing is on. */
  span?: Span | undefined;
};

/**
 * The result of a delivery: the message is done, or it is redelivered after the delay (0 to `retryInMsMax`), not before.
 * `retryInMs` means that it was tried and failed; `laterInMs` means that it was too early, and the delivery does not count.
 */
export type Settlement = 'done' | { retryInMs: number } | { laterInMs: number };

/**
 * The queue between accepting an order and deciding it.
 *
 * At-least-once delivery: a published message is delivered until it is settled as done. So every message may come twice,
 * to the same consumer or to two, even after it was settled (a lost connection or a crash may lose the settlement).
 * Handling it must have one effect. The order of messages is not guaranteed, but is roughly that of publishing.
 *
 * A message is durable once `publish` resolves. Leases and settlements need not survive a crash: the message is then
 * redelivered.
 */
export type OrderQueue = {
  /**
   * Resolves when the messages survive a crash of the broker; takes 0 to `publishMax` messages.
   *
   * @throws OperatingError QUEUE_UNAVAILABLE (retryable; the messages may have been published anyway),
   *   QUEUE_REFUSED (a message cannot be stored; none was published), PUBLISH_TOO_LARGE or QUEUE_CLOSED.
   */
  publish(messages: readonly QueuedOrder[]): Promise<void>;
  /** Starts at once, and continues through every failure of the broker until it is stopped. @throws QUEUE_CLOSED. */
  consume(options: ConsumeOptions): Consumer;
  depth(): Promise<Depth>;
  /** Stops the consumers like `stop`, then closes what the queue itself has opened. */
  close(): Promise<void>;
};

export type Depth = {
  /** Messages that could be delivered now. */
  ready: number;
  /** Messages at a consumer, not settled yet; only at this process's consumers if the broker does not report others. */
  inFlight: number;
  /** Messages that wait for the delay of a retry. */
  delayed: number;
  /**
   * The oldest ready message was published at most this long ago; 0 if none is ready. Undefined if neither the broker nor
   * this process knows.
   */
  oldestAgeMs: number | undefined;
};

export type ConsumeOptions = {
  /** Messages in a batch, 1 to `publishMax`. */
  batchMax: number;
  /**
   * Gets 1 to `batchMax` deliveries, one batch at a time, and returns one settlement per delivery, by position. If it
   * rejects or returns anything else, the whole batch is redelivered after a backoff with full jitter.
   */
  handle: (deliveries: readonly Delivery[]) => Promise<readonly Settlement[]>;
  /** Called for every failure of the handler and of the broker; the consumer continues. */
  onError: (error: unknown) => void;
};

/** Hooks on publishing and handling messages. */
export type QueueHooks = {
  publishing?: readonly Hook<readonly QueuedOrder[], void>[];
  /** If one rejects, the handler does not get the batch. Its messages are redelivered as if never delivered. */
  handling?: readonly Hook<readonly Delivery[], readonly Settlement[]>[];
};

export type Consumer = {
  /** Finishes and settles the current batch, returns the messages fetched beyond it, and fetches no more. */
  stop(): Promise<void>;
};

// Bounds the memory of one statement, and of one batch of publisher confirms: about 2 MB.
export const publishMax = 10_000;
// The longest useful delay of a retry; after a day an operator should have seen a dead letter instead.
export const retryInMsMax = 24 * 60 * 60_000;

/** @throws OperatingError PUBLISH_TOO_LARGE */
export function checkPublishable(messages: readonly QueuedOrder[]): void {
  if (messages.length <= publishMax) return;
  throw new OperatingError(
    'PUBLISH_TOO_LARGE',
    `Cannot publish ${messages.length} messages at once; the limit is ${publishMax}`,
    'Publish them in several calls',
  );
}

/** @throws RangeError */
export function checkBatchMax(batchMax: number): void {
  if (Number.isInteger(batchMax) && batchMax >= 1 && batchMax <= publishMax) return;
  throw new RangeError(`batchMax is ${batchMax} but must be a whole number from 1 to ${publishMax}`);
}

export function queueClosed(): OperatingError {
  return new OperatingError('QUEUE_CLOSED', 'The queue has been closed', 'Try again on a running process', {
    retryable: true,
  });
}
