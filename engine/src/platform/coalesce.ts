import { OperatingError } from './errors.js';

type Waiter<Key, Value> = {
  key: Key;
  deadlineAtMs: number;
  resolve: (value: Value) => void;
  reject: (error: unknown) => void;
};

export type CoalesceOptions = {
  /** Keys in one load; the rest wait for the next. */
  keysMax: number;
  /** Keys that wait; one more is refused with OperatingError OVERLOADED. */
  waitersMax: number;
  /** How long a key may wait for its load to begin; then it is refused with OVERLOADED. */
  deadlineMs: number;
};

/**
 * Gathers keys that are asked for while the previous load is under way and loads them together.
 *
 * @param load one value per key, in the same order.
 */
export function coalesce<Key, Value>(
  load: (keys: readonly Key[]) => Promise<readonly Value[]>,
  { keysMax, waitersMax, deadlineMs }: CoalesceOptions,
): (key: Key) => Promise<Value> {
  const waiters: Waiter<Key, Value>[] = [];
  let sweeper: NodeJS.Timeout | undefined;

  async function loadAll(): Promise<void> {
    while (waiters.length > 0) {
      const batch = waiters.splice(0, keysMax);
      try {
        const values = await load(batch.map(({ key }) => key));
        for (const [position, value] of values.entries()) batch[position]?.resolve(value);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    clearInterval(sweeper);
    sweeper = undefined;
  }

  // Those behind a load that hangs; they stand in order of arrival, so in order of their deadlines.
  function refuseLate(): void {
    const nowMs = performance.now();
    while (waiters[0] && waiters[0].deadlineAtMs <= nowMs) waiters.shift()?.reject(overloaded());
  }

  return key => {
    if (waiters.length >= waitersMax) return Promise.reject(overloaded());
    return new Promise((resolve, reject) => {
      waiters.push({ key, deadlineAtMs: performance.now() + deadlineMs, resolve, reject });
      if (sweeper) return;
      sweeper = setInterval(refuseLate, sweepEveryMs).unref();
      setImmediate(loadAll);
    });
  };
}

const sweepEveryMs = 50;

function overloaded(): OperatingError {
  return new OperatingError('OVERLOADED', 'Too many look-ups are waiting already', 'Try again in a second', {
    retryable: true,
  });
}
