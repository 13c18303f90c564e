import { connect, type Socket } from 'node:net';
import { ResponseParser } from './response-parser.js';
import type { Target } from './target.js';

/** Why a request got no answer. It is unknown whether the server acted on it. */
export type Loss = 'timeout' | 'connection-error' | 'malformed-answer';

export interface ConnectionListener {
  onOpen(connection: Connection): void;
  onAnswer(connection: Connection, status: number, body: string, nowMs: number): void;
  onLost(connection: Connection, loss: Loss, nowMs: number): void;
  /** The connection is down and may be reopened. `cause` distinguishes a refused connect from an ordinary close. */
  onDown(connection: Connection, cause: DownCause): void;
}

export type DownCause = 'not-connected' | 'cut' | 'closed-by-server';

export interface ConnectionTimes {
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

type State = 'down' | 'connecting' | 'idle' | 'busy' | 'closed';

// An answer is below 1 KB. Each connection has its own buffer, because on Windows a pending read owns its buffer.
const READ_BUFFER_BYTES = 4096;

/** One keep-alive connection with at most one request in flight. The owner checks deadlines: no timer per request. */
export class Connection {
  readonly index: number;
  /** Number of the request in flight, in order of issue. */
  ordinal = -1;
  /** `performance.now()` when the request in flight was due, and when it was written. */
  intendedAtMs = 0;
  sentAtMs = 0;
  /** How often in a row it went down without an answer in between. */
  failures = 0;

  readonly #target: Target;
  readonly #times: ConnectionTimes;
  readonly #listener: ConnectionListener;
  readonly #parser = new ResponseParser();
  readonly #buffer = Buffer.allocUnsafe(READ_BUFFER_BYTES);
  #socket: Socket | null = null;
  #state: State = 'down';
  #deadlineMs = Number.POSITIVE_INFINITY;

  constructor(index: number, target: Target, times: ConnectionTimes, listener: ConnectionListener) {
    this.index = index;
    this.#target = target;
    this.#times = times;
    this.#listener = listener;
  }

  get isIdle(): boolean {
    return this.#state === 'idle';
  }

  open(): void {
    this.#parser.reset();
    this.#state = 'connecting';
    this.#deadlineMs = performance.now() + this.#times.connectTimeoutMs;
    const onread = {
      buffer: this.#buffer,
      callback: (length: number) => {
        if (socket === this.#socket) this.#read(length);
        return true;
      },
    };
    const { host, port } = this.#target;
    const socket = connect({ host, port, noDelay: true, onread });
    this.#socket = socket;
    this.#listen(socket);
  }

  /** Sends one request. The caller ensures that the connection is idle. */
  send(request: string, ordinal: number, intendedAtMs: number, nowMs: number): void {
    if (this.#state !== 'idle' || this.#socket === null)
      throw new Error('cannot send: the connection is not idle');
    this.#state = 'busy';
    this.ordinal = ordinal;
    this.intendedAtMs = intendedAtMs;
    this.sentAtMs = nowMs;
    this.#deadlineMs = nowMs + this.#times.requestTimeoutMs;
    this.#socket.write(request, 'latin1');
  }

  /** Ends a request or a connection attempt that has timed out. */
  sweep(nowMs: number): void {
    if (nowMs < this.#deadlineMs) return;
    this.#drop('timeout');
  }

  close(): void {
    this.#release();
    this.#state = 'closed';
  }

  #listen(socket: Socket): void {
    const ifCurrent = (handle: () => void) => () => {
      // An abandoned socket still emits events. Only the current socket counts.
      if (socket === this.#socket) handle();
    };
    socket.on(
      'connect',
      ifCurrent(() => this.#opened()),
    );
    socket.on(
      'end',
      ifCurrent(() => this.#ended()),
    );
    socket.on(
      'close',
      ifCurrent(() => this.#drop('connection-error')),
    );
    // 'close' always follows and does the work. Without a listener the error would end the process.
    socket.on('error', () => {});
  }

  #opened(): void {
    this.#state = 'idle';
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#listener.onOpen(this);
  }

  #read(length: number): void {
    this.#parser.feed(this.#buffer.subarray(0, length));
    const result = this.#parser.take();
    if (result === 'more' && this.#state === 'busy') return;
    // Unexpected bytes would be read as the next answer, so the connection is closed.
    if (this.#state !== 'busy' || result !== 'response' || this.#parser.hasRest) {
      this.#drop('malformed-answer');
    } else {
      this.#answered();
    }
  }

  #ended(): void {
    if (this.#state === 'busy' && this.#parser.hasRest && this.#parser.takeAtEnd() === 'response') {
      this.#answered();
    } else {
      this.#drop('connection-error');
    }
  }

  #answered(): void {
    const { status, body, keepAlive } = this.#parser;
    this.failures = 0;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#state = 'idle';
    if (!keepAlive) this.#release();
    this.#listener.onAnswer(this, status, body, performance.now());
    if (!keepAlive) this.#listener.onDown(this, 'closed-by-server');
  }

  #drop(loss: Loss): void {
    const before = this.#state;
    this.#release();
    if (before === 'busy') this.#listener.onLost(this, loss, performance.now());
    if (before === 'connecting') this.#listener.onDown(this, 'not-connected');
    else this.#listener.onDown(this, before === 'busy' ? 'cut' : 'closed-by-server');
  }

  #release(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#state = 'down';
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    socket?.destroy();
  }
}
