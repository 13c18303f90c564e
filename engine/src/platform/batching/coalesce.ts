import { OperatingError } from '../errors.js';
import { createBatcher } from './batcher.js';

export type CoalesceOptions = {
  /** Keys in one load; the rest wait for the next. */
  keysMax: number;
  /** Keys that may wait; further ones are refused with OperatingError OVERLOADED. */
  waitersMax: number;
  /** How long a key may wait for its load to begin; then it is refused with OVERLOADED. */
  deadlineMs: number;
};

type Loaded<Value> = { value: Value } | { error: unknown } | 'overloaded';

/**
 * Gathers the keys that are requested while the previous load is in progress, and loads them together.
 *
 * @param load returns one value per key, in the same order.
 */
export function coalesce<Key, Value>(
  load: (keys: readonly Key[]) => Promise<readonly Value[]>,
  { keysMax, waitersMax, deadlineMs }: CoalesceOptions,
): (key: Key) => Promise<Value> {
  const { join } = createBatcher<undefined, Key, Loaded<Value>>({
    async serve(_, waiters) {
      try {
        const values = await load(waiters.map(({ request }) => request));
        for (const [position, value] of values.entries()) waiters[position]?.answer({ value });
      } catch (error) {
        for (const { answer } of waiters) answer({ error });
      }
    },
    batchMax: keysMax,
    deadlineMs,
    isFull: own => own >= waitersMax,
    refusal: 'overloaded',
  });
  return async key => {
    const loaded = await join(undefined, key);
    if (loaded === 'overloaded') throw overloaded();
    if ('error' in loaded) throw loaded.error;
    return loaded.value;
  };
}

function overloaded(): OperatingError {
  return new OperatingError('OVERLOADED', 'Too many look-ups are waiting already', 'Try again in a second', {
    retryable: true,
  });
}
