import type { DriveListener } from '../drive/drive.js';
import type { AcknowledgedOrders } from '../verdict/acknowledged.js';
import { LatencyRecorder } from './latency.js';
import { Outcomes } from './outcomes.js';

/** What an answer means. Only a grant carries an order that is new. */
export interface Reading {
  readonly slug: string;
  readonly orderId: string | null;
}

export interface RecorderOptions {
  read(status: number, body: string, ordinal: number): Reading;
  readonly acknowledged: AcknowledgedOrders;
  /** In an open loop a request may be sent later than it was due, so there are two latencies to record. */
  readonly isOpenLoop: boolean;
  /** Hears of each order that was acknowledged for the first time. */
  onAcknowledged(orderId: string, ordinal: number): void;
  /** Hears how each request was counted. */
  readonly onCounted?:
    | ((ordinal: number, status: number | null, slug: string, serviceMs: number) => void)
    | undefined;
}

export interface Recorder extends DriveListener {
  readonly outcomes: Outcomes;
  /** From sending to answer. */
  readonly service: LatencyRecorder;
  /** From when the request was due to its answer. The same as `service` in a closed loop. */
  readonly sinceIntended: LatencyRecorder;
  /** Requests that ended. */
  readonly ended: number;
  /** Orders that the server gave to more than one request. */
  readonly acknowledgedTwice: number;
}

/** Takes each ended request to the counters, the histograms and the acknowledged orders. */
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
      // A timeout is a latency too: leaving it out would make a server that hangs look fast.
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
