import { OperatingError } from '../platform/errors.js';
import type { Hook } from '../platform/hooks.js';
import type { Span } from '../platform/telemetry/tracing.js';

/** A hint that this order waits to be decided. The order itself is in the ledger, which alone is the truth. */
export type QueuedOrder = {
  orderId: string;
  saleId: number;
  shopperId: string;
  quantity: number;
  forceFail?: boolean;
  /** The span that sent it, where traces are kept. */
  traceparent?: string | undefined;
};

/** One try to deliver a message. */
export type Delivery = {
  message: QueuedOrder;
  /**
   * Counted from 1, without those that were settled with `laterInMs`. A broker that crashed may have forgotten some, and
   * one that hands messages over ahead may count those that a consumer never got to before it died.
   */
  deliveries: number;
  /** Of this try, where traces are kept. */
  span?: Span | undefined;
};

/**
 * What became of a delivery: it never comes again, or it does after the delay (0 to `retryInMsMax`), not before. `retryInMs`
 * says that it was tried and failed, `laterInMs` that its time had not come: that delivery is not counted.
 */
export type Settlement = 'done' | { retryInMs: number } | { laterInMs: number };

/**
 * The road from accepting an order to deciding it.
 *
 * At least once: what was published is delivered until it is settled as done, so every message may come twice, to the
 * same consumer or to two, even after it was settled (the settlement may be lost with a connection or a crash). Its
 * effect must be one all the same. No order is promised, though messages come roughly as they were published.
 *
 * Durable is what `publish` has resolved for. Leases and settlements need not survive a crash: what they forget comes
 * again.
 */
export type OrderQueue = {
  /**
   * Resolves when the messages survive a crash of the broker; at most `publishMax` at once, and none is none.
   *
   * @throws OperatingError QUEUE_UNAVAILABLE (retryable; the messages may have been published all the same),
   *   QUEUE_REFUSED (a message that can not be stored; none was published), PUBLISH_TOO_LARGE or QUEUE_CLOSED.
   */
  publish(messages: readonly QueuedOrder[]): Promise<void>;
  /** Begins at once, and goes on through every failure of the broker until it is stopped. @throws QUEUE_CLOSED. */
  consume(options: ConsumeOptions): Consumer;
  depth(): Promise<Depth>;
  /** Stops the consumers as `stop` does, then lets go of what the queue itself has opened. */
  close(): Promise<void>;
};

export type Depth = {
  /** Could be delivered now. */
  ready: number;
  /** With a consumer, not settled yet; with one of this process where the broker tells no more. */
  inFlight: number;
  /** Wait for the delay of a retry. */
  delayed: number;
  /**
   * The oldest ready message was published this long ago at most; 0 when none is ready. Undefined where neither the broker
   * nor what this process has seen can tell.
   */
  oldestAgeMs: number | undefined;
};

export type ConsumeOptions = {
  /** Messages in a batch, 1 to `publishMax`. */
  batchMax: number;
  /**
   * Is given 1 to `batchMax` deliveries, one batch at a time, and answers one settlement a delivery, by position. If it
   * rejects or answers anything else, the whole batch comes again after a backoff with full jitter.
   */
  handle: (deliveries: readonly Delivery[]) => Promise<readonly Settlement[]>;
  /** Told of every failure of the handler and of the broker; the consumer goes on. */
  onError: (error: unknown) => void;
};

/** What is told of messages on their way. */
export type QueueHooks = {
  publishing?: readonly Hook<readonly QueuedOrder[], void>[];
  /** One that rejects keeps the batch from the handler. Its messages come again as if they had not been delivered. */
  handling?: readonly Hook<readonly Delivery[], readonly Settlement[]>[];
};

export type Consumer = {
  /** Finishes and settles the batch in hand, gives back what was taken beyond it, and takes no more. */
  stop(): Promise<void>;
};

// Bounds what one statement, and one batch of publisher confirms, holds in memory: some 2 MB.
export const publishMax = 10_000;
// The longest delay that a retry is for; past a day an operator should have seen a dead letter instead.
export const retryInMsMax = 24 * 60 * 60_000;

/** @throws OperatingError PUBLISH_TOO_LARGE */
export function checkPublishable(messages: readonly QueuedOrder[]): void {
  if (messages.length <= publishMax) return;
  throw new OperatingError(
    'PUBLISH_TOO_LARGE',
    `${messages.length} messages were to be published at once, and ${publishMax} may be`,
    'Publish them in parts',
  );
}

/** @throws RangeError */
export function checkBatchMax(batchMax: number): void {
  if (Number.isInteger(batchMax) && batchMax >= 1 && batchMax <= publishMax) return;
  throw new RangeError(`batchMax is ${batchMax} and has to be a whole number from 1 to ${publishMax}`);
}

export function queueClosed(): OperatingError {
  return new OperatingError(
    'QUEUE_CLOSED',
    'The queue has been closed',
    'Try again on a process that serves',
    {
      retryable: true,
    },
  );
}
