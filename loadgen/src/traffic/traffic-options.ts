import type { RequestOptions, RequestWriter } from '../http/request.js';
import type { RecorderOptions } from '../measure/recorder.js';
import type { AcknowledgedOrders } from '../verdict/acknowledged.js';
import type { AcknowledgedLine, Journal } from '../verdict/journal.js';

export interface TrafficOptions {
  readonly request: Omit<RequestOptions, 'path'>;
  /** A path to POST to; null for the usual one. */
  readonly path: string | null;
  /** The handler knows no sales, and its body is not read. */
  readonly isBare: boolean;
  readonly isOpenLoop: boolean;
  readonly acknowledged: AcknowledgedOrders;
  readonly journal: Journal | null;
  /** Called with the outcome of each request. */
  readonly onCounted?: RecorderOptions['onCounted'];
}

/** The line of the journal for an order confirmed to the shopper of request `ordinal`. */
export function toLine(
  { request }: TrafficOptions,
  writer: Pick<RequestWriter, 'shopperId' | 'idempotencyKey'>,
  orderId: string,
  ordinal: number,
): AcknowledgedLine {
  return {
    orderId,
    productId: request.productId,
    shopperId: writer.shopperId(ordinal),
    quantity: request.quantity,
    idempotencyKey: writer.idempotencyKey(ordinal),
  };
}
