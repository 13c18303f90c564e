import type { Connection } from '../http/connection.js';

/** How requests are spaced. */
export type Pace = ClosedPace | OpenPace;

/**
 * Each connection sends its next request after the last answer. Ends by number, by time, or by whichever comes first.
 */
export interface ClosedPace {
  readonly kind: 'closed';
  readonly requestsMax: number | null;
  readonly durationMs: number | null;
}

/** Requests are due at fixed times, whatever the server does. Those that find no free connection wait in a queue. */
export interface OpenPace {
  readonly kind: 'open';
  readonly ratePerSecond: number;
  readonly durationMs: number;
  /** Milliseconds of arrivals that may wait for a free connection. Defaults to 10 s. */
  readonly queuedMs?: number;
}

/** Several open paces in sequence: steps of equal length at rising rates. */
export interface Climb {
  readonly kind: 'climb';
  /** The rate that the server sustains; null to measure it first. */
  readonly ratePerSecond: number | null;
  readonly stepMs: number;
}

/** Sends the next request on a free connection. */
export type Issue = (connection: Connection, intendedAtMs: number, nowMs: number) => void;

/** Decides when to send requests. The drive sends them and counts the outcomes. */
export interface Pacer {
  start(nowMs: number): void;
  onFree(connection: Connection, nowMs: number): void;
  /** Stops issuing requests. */
  stop(): void;
  /** True when no more requests will be issued. */
  readonly isDone: boolean;
  /** Requests that were due while the queue was full. */
  readonly overflowed: number;
  /** Requests planned but not sent, once the pacer is done. */
  readonly unsent: number;
}
