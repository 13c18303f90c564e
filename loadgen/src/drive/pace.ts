import type { Connection } from '../http/connection.js';

/** How requests are spaced. */
export type Pace = ClosedPace | OpenPace;

/** Each connection sends its next request when the last was answered. Ends by number, by time, or by the first of both. */
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
  /** How many milliseconds of arrivals may wait for a free connection; 10 s unless said. */
  readonly queuedMs?: number;
}

/** Several open paces, one after another: steps of rising rates, each as long. */
export interface Climb {
  readonly kind: 'climb';
  /** What the server sustains; null has it measured first. */
  readonly ratePerSecond: number | null;
  readonly stepMs: number;
}

/** Sends the next request on a free connection. */
export type Issue = (connection: Connection, intendedAtMs: number, nowMs: number) => void;

/** Decides when requests are sent; the drive sends them and counts what becomes of them. */
export interface Pacer {
  start(nowMs: number): void;
  onFree(connection: Connection, nowMs: number): void;
  /** Issues nothing more. */
  stop(): void;
  /** Nothing more will be issued. */
  readonly isDone: boolean;
  /** Requests that were due and found the queue full. */
  readonly overflowed: number;
  /** Requests that were planned and not sent, once it is done. */
  readonly unsent: number;
}
