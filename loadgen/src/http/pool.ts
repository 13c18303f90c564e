import { LoadFailure } from '../failure.js';
import { Connection, type DownCause, type Loss } from './connection.js';
import type { Target } from './target.js';

export interface PoolOptions {
  /** Connections are assigned to the targets in turn. */
  readonly targets: readonly [Target, ...Target[]];
  readonly size: number;
  readonly requestTimeoutMs: number;
  /** How long the server may be unreachable, without one successful connect, before the run is given up. */
  readonly reconnectLimitMs: number;
}

export interface PoolListener {
  /** A connection is open and free. Called again after each reconnect. */
  onOpen(connection: Connection): void;
  onAnswer(connection: Connection, status: number, body: string, nowMs: number): void;
  onLost(connection: Connection, loss: Loss, nowMs: number): void;
  onGiveUp(): void;
}

export interface PoolCounts {
  opened: number;
  /** Failed connects. They lost no request. */
  refused: number;
}

// 128 at a time stay below the listen backlog of 511 of a Node server, so no SYN is dropped and retried after 1 s.
const CONNECTING_MAX = 128;
const CONNECT_TIMEOUT_MS = 5_000;
// The precision of timeouts and backoff. 2,000 connections cost 40,000 comparisons per second, which is negligible.
const SWEEP_MS = 50;
const BACKOFF_MS_MIN = 25;
const BACKOFF_MS_MAX = 1_000;

/** A fixed number of open connections. It staggers connects, backs off before reconnects, and sweeps for timeouts. */
export class Pool {
  readonly counts: PoolCounts = { opened: 0, refused: 0 };
  readonly #options: PoolOptions;
  readonly #listener: PoolListener;
  readonly #connections: Connection[] = [];
  readonly #queue: Connection[] = [];
  readonly #retryAtMs = new Map<Connection, number>();
  #connecting = 0;
  #openedOnce = 0;
  #reachableAtMs = performance.now();
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  #givenUp = false;

  constructor(options: PoolOptions, listener: PoolListener) {
    this.#options = options;
    this.#listener = listener;
    const times = { requestTimeoutMs: options.requestTimeoutMs, connectTimeoutMs: CONNECT_TIMEOUT_MS };
    const own = {
      onOpen: (connection: Connection) => this.#opened(connection),
      onAnswer: listener.onAnswer.bind(listener),
      onLost: listener.onLost.bind(listener),
      onDown: (connection: Connection, cause: DownCause) => this.#down(connection, cause),
    };
    for (let index = 0; index < options.size; index += 1) {
      this.#connections.push(new Connection(index, targetOf(options.targets, index), times, own));
    }
  }

  /** Opens all connections. @throws LoadFailure `setup` if some are not open within the reconnect limit. */
  async open(): Promise<void> {
    this.#reachableAtMs = performance.now();
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#queue.push(...this.#connections);
    this.#connectMore();
    const deadlineMs = performance.now() + this.#options.reconnectLimitMs;
    while (this.#openedOnce < this.#options.size) {
      if (performance.now() > deadlineMs) throw this.#notOpened();
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const connection of this.#connections) connection.close();
  }

  #notOpened(): LoadFailure {
    this.close();
    const { targets, size, reconnectLimitMs } = this.#options;
    return new LoadFailure(
      'setup',
      `Only ${this.#openedOnce} of ${size} connections to ${targets.map(({ origin }) => origin).join(', ')} could be opened within ${reconnectLimitMs / 1000} s. ` +
        'Is the server running, and does `ulimit -n` allow that many open files on both sides?',
    );
  }

  #connectMore(): void {
    while (this.#connecting < CONNECTING_MAX && !this.#closed) {
      const connection = this.#queue.shift();
      if (connection === undefined) return;
      this.#connecting += 1;
      connection.open();
    }
  }

  #opened(connection: Connection): void {
    this.#connecting -= 1;
    this.counts.opened += 1;
    this.#openedOnce += 1;
    this.#reachableAtMs = performance.now();
    this.#listener.onOpen(connection);
    this.#connectMore();
  }

  #down(connection: Connection, cause: DownCause): void {
    if (this.#closed) return;
    if (cause === 'not-connected') {
      this.#connecting -= 1;
      this.counts.refused += 1;
    }
    // A server may close an idle connection. One that never completes a request must not be reopened in a tight loop.
    if (cause === 'closed-by-server' && connection.failures === 0) this.#queue.push(connection);
    else this.#retryAtMs.set(connection, performance.now() + backoffMs(connection.failures));
    connection.failures += 1;
    this.#connectMore();
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections) connection.sweep(nowMs);
    for (const [connection, retryAtMs] of this.#retryAtMs) {
      if (retryAtMs > nowMs) continue;
      this.#retryAtMs.delete(connection);
      this.#queue.push(connection);
    }
    this.#connectMore();
    this.#giveUpIfUnreachable(nowMs);
  }

  #giveUpIfUnreachable(nowMs: number): void {
    const idleOrBusy =
      this.#connections.length - this.#retryAtMs.size - this.#queue.length - this.#connecting;
    if (idleOrBusy > 0) this.#reachableAtMs = nowMs;
    if (this.#givenUp || nowMs - this.#reachableAtMs < this.#options.reconnectLimitMs) return;
    this.#givenUp = true;
    this.#listener.onGiveUp();
  }
}

function targetOf([first, ...others]: PoolOptions['targets'], index: number): Target {
  return others[(index % (others.length + 1)) - 1] ?? first;
}

/** Doubles from 25 ms to 1 s, with jitter so that 2,000 connections do not reconnect in one wave. */
function backoffMs(failures: number): number {
  const ceilingMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(failures, 10));
  return ceilingMs * (0.5 + Math.random() / 2);
}
