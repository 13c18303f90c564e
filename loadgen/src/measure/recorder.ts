import type { DriveListener } from '../drive/drive.js';
import type { AcknowledgedOrders } from '../verdict/acknowledged.js';
import { LatencyRecorder } from './latency.js';
import { Outcomes } from './outcomes.js';

/** The meaning of an answer. Only a grant carries an order that is new. */
export interface Reading {
  readonly slug: string;
  readonly orderId: string | null;
}

export interface RecorderOptions {
  read(status: number, body: string, ordinal: number): Reading;
  readonly acknowledged: AcknowledgedOrders;
  /** In an open loop a request may be sent after it was due, so there are two latencies to record. */
  readonly isOpenLoop: boolean;
  /** Called for each order that is acknowledged for the first time. */
  onAcknowledged(orderId: string, ordinal: number): void;
  /** Called with the outcome of each request. */
  readonly onCounted?:
    | ((ordinal: number, status: number | null, slug: string, serviceMs: number) => void)
    | undefined;
}

export interface Recorder extends DriveListener {
  readonly outcomes: Outcomes;
  /** From sending to answer. */
  readonly service: LatencyRecorder;
  /** From the time the request was due to its answer. The same as `service` in a closed loop. */
  readonly sinceIntended: LatencyRecorder;
  /** Requests that ended. */
  readonly ended: number;
  /** Orders that the server acknowledged to more than one request. */
  readonly acknowledgedTwice: number;
}

/** Records each finished request in the counters, the histograms and the acknowledged orders. */
export function createRecorder(options: RecorderOptions): Recorder {
  const outcomes = new Outcomes();
  const service = new LatencyRecorder();
  const sinceIntended = options.isOpenLoop ? new LatencyRecorder() : service;
  let ended = 0;
  let acknowledgedTwice = 0;

  const time = (serviceMs: number, sinceIntendedMs: number) => {
    ended += 1;
    service.record(serviceMs);
    if (options.isOpenLoop) sinceIntended.record(sinceIntendedMs);
  };
  const count = (ordinal: number, status: number | null, slug: string, serviceMs: number) => {
    outcomes.add(status, slug);
    options.onCounted?.(ordinal, status, slug, serviceMs);
  };
  const acknowledge = (orderId: string, ordinal: number, slug: string): string => {
    const kept = options.acknowledged.add(orderId, ordinal);
    if (kept === 'not-a-uuid') return 'invalid-answer';
    if (kept === 'duplicate') acknowledgedTwice += 1;
    else options.onAcknowledged(orderId, ordinal);
    return slug;
  };

  return {
    outcomes,
    service,
    sinceIntended,
    onAnswer(ordinal, status, body, serviceMs, sinceIntendedMs) {
      time(serviceMs, sinceIntendedMs);
      const { slug, orderId } = options.read(status, body, ordinal);
      count(ordinal, status, orderId === null ? slug : acknowledge(orderId, ordinal, slug), serviceMs);
    },
    onLost(ordinal, loss, serviceMs, sinceIntendedMs) {
      // A timeout is a latency too. Without it, a server that hangs would look fast.
      time(serviceMs, sinceIntendedMs);
      count(ordinal, null, loss, serviceMs);
    },
    get ended() {
      return ended;
    },
    get acknowledgedTwice() {
      return acknowledgedTwice;
    },
  };
}
