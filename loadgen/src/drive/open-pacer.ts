import type { Connection } from '../http/connection.js';
import type { Issue, OpenPace, Pacer } from './pace.js';

// A request that waited longer than this in the generator would have timed out in any client.
const QUEUED_MS_MAX = 10_000;
const TICK_MS = 1;
// Used entries at the front of the list of free connections are removed in bulk, not one by one.
const FREE_TAKEN_MAX = 1024;

/**
 * Open loop: request i is due at i / rate. Its latency counts from then, even if it has to wait for a free connection.
 * Node's timers tick in milliseconds, so a request may be sent 1 to 2 ms late, and its latency includes that delay.
 * Spinning would be exact, but would take a whole core away from the server under test.
 */
export function openPacer(pace: OpenPace, issue: Issue): Pacer {
  const planned = Math.floor((pace.ratePerSecond * pace.durationMs) / 1000);
  const queuedMax = Math.ceil((pace.ratePerSecond * (pace.queuedMs ?? QUEUED_MS_MAX)) / 1000);
  const intervalMs = 1000 / pace.ratePerSecond;
  const free: Connection[] = [];
  const queue = new DueTimes(queuedMax);
  let freeFrom = 0;
  let due = 0;
  let issued = 0;
  let overflowed = 0;
  let stopped = false;
  let startedAtMs = 0;
  let timer: NodeJS.Timeout | null = null;

  const send = (connection: Connection, intendedAtMs: number, nowMs: number) => {
    issued += 1;
    issue(connection, intendedAtMs, nowMs);
  };
  // First in, first out, so that no connection stays idle long enough for the server to close it.
  const takeFree = (): Connection | undefined => {
    while (freeFrom < free.length) {
      const connection = free[freeFrom];
      freeFrom += 1;
      if (freeFrom === FREE_TAKEN_MAX) {
        free.splice(0, freeFrom);
        freeFrom = 0;
      }
      if (connection?.isIdle) return connection;
    }
    return undefined;
  };
  const arrive = (intendedAtMs: number, nowMs: number) => {
    const connection = takeFree();
    if (connection !== undefined) send(connection, intendedAtMs, nowMs);
    else if (!queue.push(intendedAtMs)) overflowed += 1;
  };
  const tick = () => {
    const nowMs = performance.now();
    const dueNow = Math.min(planned, Math.floor((nowMs - startedAtMs) / intervalMs) + 1);
    for (; due < dueNow; due += 1) arrive(startedAtMs + due * intervalMs, nowMs);
    timer = due < planned && !stopped ? setTimeout(tick, TICK_MS) : null;
  };

  return {
    start(nowMs) {
      startedAtMs = nowMs;
      tick();
    },
    onFree(connection, nowMs) {
      const intendedAtMs = stopped ? undefined : queue.shift();
      if (intendedAtMs === undefined) free.push(connection);
      else send(connection, intendedAtMs, nowMs);
    },
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
    },
    get isDone() {
      return stopped || (due >= planned && queue.length === 0);
    },
    get overflowed() {
      return overflowed;
    },
    get unsent() {
      return planned - issued - overflowed;
    },
  };
}

/** A ring of due times in milliseconds: bounded, and without allocation while it runs. */
class DueTimes {
  readonly #times: Float64Array;
  #first = 0;
  length = 0;

  constructor(capacity: number) {
    this.#times = new Float64Array(capacity);
  }

  push(timeMs: number): boolean {
    if (this.length === this.#times.length) return false;
    this.#times[(this.#first + this.length) % this.#times.length] = timeMs;
    this.length += 1;
    return true;
  }

  shift(): number | undefined {
    if (this.length === 0) return undefined;
    const timeMs = this.#times[this.#first];
    this.#first = (this.#first + 1) % this.#times.length;
    this.length -= 1;
    return timeMs;
  }
}
