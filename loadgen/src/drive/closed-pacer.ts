import type { Connection } from '../http/connection.js';
import type { ClosedPace, Issue, Pacer } from './pace.js';

/** Closed loop: one request in flight per connection, until the number of requests or the time is used up. */
export function closedPacer(pace: ClosedPace, issue: Issue): Pacer {
  const waiting: Connection[] = [];
  let issued = 0;
  let started = false;
  let stopped = false;
  let timer: NodeJS.Timeout | null = null;

  const isDone = () => stopped || (pace.requestsMax !== null && issued >= pace.requestsMax);
  const onFree = (connection: Connection, nowMs: number) => {
    if (!started) {
      waiting.push(connection);
    } else if (!isDone()) {
      issued += 1;
      issue(connection, nowMs, nowMs);
    }
  };
  const stop = () => {
    stopped = true;
    if (timer !== null) clearTimeout(timer);
  };
  const start = (nowMs: number) => {
    started = true;
    if (pace.durationMs !== null) timer = setTimeout(stop, pace.durationMs);
    for (const connection of waiting.splice(0)) if (connection.isIdle) onFree(connection, nowMs);
  };

  return {
    start,
    onFree,
    stop,
    overflowed: 0,
    get isDone() {
      return isDone();
    },
    get unsent() {
      return pace.requestsMax === null ? 0 : pace.requestsMax - issued;
    },
  };
}
