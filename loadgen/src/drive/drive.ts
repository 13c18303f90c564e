import type { Connection, Loss } from '../http/connection.js';
import { Pool, type PoolCounts } from '../http/pool.js';
import type { Target } from '../http/target.js';
import { closedPacer } from './closed-pacer.js';
import { openPacer } from './open-pacer.js';
import type { Issue, Pace, Pacer } from './pace.js';

export interface DriveOptions {
  readonly targets: readonly [Target, ...Target[]];
  readonly connections: number;
  readonly requestTimeoutMs: number;
  readonly reconnectLimitMs: number;
  readonly pace: Pace;
  write(ordinal: number): string;
  /** Requests that follow from answers. */
  readonly followUps?: FollowUps;
}

/**
 * Requests that follow from answers. They are sent on the first free connection, before the planned requests. An answer
 * causes one follow-up at most, so there are never more of them pending than connections.
 */
export interface FollowUps {
  /** The ordinal of the next follow-up, which `write` knows; -1 if none is pending. */
  take(): number;
  readonly isEmpty: boolean;
}

/** Receives the outcome of each request. The hot path: called once for each request sent. */
export interface DriveListener {
  onAnswer(ordinal: number, status: number, body: string, serviceMs: number, sinceIntendedMs: number): void;
  onLost(ordinal: number, loss: Loss, serviceMs: number, sinceIntendedMs: number): void;
}

export interface DriveResult {
  readonly issued: number;
  readonly unsent: number;
  readonly overflowed: number;
  /** From the first request to the last answer. */
  readonly elapsedMs: number;
  readonly interrupted: boolean;
  /** The server stayed unreachable beyond the reconnect limit. */
  readonly givenUp: boolean;
  readonly connections: PoolCounts;
}

export interface Drive {
  /** Opens all connections. Sends nothing yet. */
  open(): Promise<void>;
  run(): Promise<DriveResult>;
  /** Stops issuing requests. `run` ends when those in flight are answered or timed out. */
  interrupt(): void;
}

/** Sends the planned requests and ends when each request sent is answered, lost or timed out. */
export function createDrive(options: DriveOptions, listener: DriveListener): Drive {
  let issued = 0;
  let inFlight = 0;
  let startedAtMs = 0;
  let lastEndAtMs = 0;
  let interrupted = false;
  let givenUp = false;
  let followUps = options.followUps ?? NO_FOLLOW_UPS;
  // Planned requests are numbered without gaps, whatever follow-ups are sent between them.
  let next = 0;

  const send = (connection: Connection, ordinal: number, intendedAtMs: number, nowMs: number) => {
    connection.send(options.write(ordinal), ordinal, intendedAtMs, nowMs);
    issued += 1;
    inFlight += 1;
  };
  const issue: Issue = (connection, intendedAtMs, nowMs) => {
    send(connection, next, intendedAtMs, nowMs);
    next += 1;
  };
  const onFree = (connection: Connection, nowMs: number) => {
    const followUp = followUps.take();
    if (followUp === NO_FOLLOW_UP) pacer.onFree(connection, nowMs);
    else send(connection, followUp, nowMs, nowMs);
  };
  const stop = () => {
    followUps = NO_FOLLOW_UPS;
    pacer.stop();
  };
  const ended = (nowMs: number) => {
    inFlight -= 1;
    lastEndAtMs = nowMs;
  };
  const onAnswer = (connection: Connection, status: number, body: string, nowMs: number) => {
    ended(nowMs);
    const { ordinal, sentAtMs, intendedAtMs } = connection;
    listener.onAnswer(ordinal, status, body, nowMs - sentAtMs, nowMs - intendedAtMs);
    if (connection.isIdle) onFree(connection, nowMs);
  };
  const onLost = (connection: Connection, loss: Loss, nowMs: number) => {
    ended(nowMs);
    listener.onLost(connection.ordinal, loss, nowMs - connection.sentAtMs, nowMs - connection.intendedAtMs);
  };
  const onGiveUp = () => {
    givenUp = true;
    stop();
  };
  const pacer = createPacer(options.pace, issue);
  const pool = new Pool(
    { ...options, size: options.connections },
    { onOpen: connection => onFree(connection, performance.now()), onAnswer, onLost, onGiveUp },
  );

  return {
    open: () => pool.open(),
    async run() {
      startedAtMs = lastEndAtMs = performance.now();
      pacer.start(startedAtMs);
      await until(() => pacer.isDone && inFlight === 0 && followUps.isEmpty);
      pool.close();
      const { unsent, overflowed } = pacer;
      const elapsedMs = lastEndAtMs - startedAtMs;
      return { issued, unsent, overflowed, elapsedMs, interrupted, givenUp, connections: pool.counts };
    },
    interrupt() {
      interrupted = true;
      stop();
    },
  };
}

const NO_FOLLOW_UP = -1;
const NO_FOLLOW_UPS: FollowUps = { take: () => NO_FOLLOW_UP, isEmpty: true };

function createPacer(pace: Pace, issue: Issue): Pacer {
  return pace.kind === 'closed' ? closedPacer(pace, issue) : openPacer(pace, issue);
}

/** Polls every 5 ms instead of after each answer. `elapsedMs` does not depend on when the end is noticed. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5));
}
