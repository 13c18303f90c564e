import { sleep } from '../backoff.js';
import { OperatingError } from '../errors.js';
import { createBatcher } from './batcher.js';

export type CoalesceOptions = {
  /** Keys in one load; the rest wait for the next. */
  keysMax: number;
  /** Keys that may wait; further ones are refused with OperatingError OVERLOADED. */
  waitersMax: number;
  /** How long a key may wait for its load to begin; then it is refused with OVERLOADED. */
  deadlineMs: number;
  /** Loads begin at least this far apart, so that under load few large ones take the place of many small ones. */
  apartMs?: number;
};

type Loaded<Value> = { value: Value } | { error: unknown };

/** Requests the value of a key. Always answers. */
export type Ask<Key, Value> = (key: Key, answer: (loaded: Loaded<Value>) => void) => void;

/**
 * Gathers the keys that are requested while the previous load is in progress, and loads them together.
 *
 * @param load returns one value per key, in the same order.
 */
export function coalesceAsks<Key, Value>(
  load: (keys: readonly Key[]) => Promise<readonly Value[]>,
  { keysMax, waitersMax, deadlineMs, apartMs = 0 }: CoalesceOptions,
): Ask<Key, Value> {
  const { add } = createBatcher<undefined, Key, Loaded<Value>>({
    async serve(_, waiters) {
      const beganAtMs = performance.now();
      const loaded = await settle(() => load(waiters.map(({ request }) => request)));
      if ('error' in loaded) for (const { answer } of waiters) answer(loaded);
      else for (const [position, value] of loaded.value.entries()) waiters[position]?.answer({ value });
      const restMs = beganAtMs + apartMs - performance.now();
      if (restMs > 0) await sleep(restMs);
    },
    batchMax: keysMax,
    deadlineMs,
    isFull: own => own >= waitersMax,
    refusal: { error: overloaded() },
  });
  return (key, answer) => add(undefined, key, answer);
}

/** coalesceAsks() for callers that can afford a promise. */
export function coalesce<Key, Value>(
  load: (keys: readonly Key[]) => Promise<readonly Value[]>,
  options: CoalesceOptions,
): (key: Key) => Promise<Value> {
  return promised(coalesceAsks(load, options));
}

/** The same request, answered with a promise. */
export function promised<Key, Value>(ask: Ask<Key, Value>): (key: Key) => Promise<Value> {
  return key =>
    new Promise((resolve, reject) =>
      ask(key, loaded => ('error' in loaded ? reject(loaded.error) : resolve(loaded.value))),
    );
}

async function settle<Value>(load: () => Promise<Value>): Promise<Loaded<Value>> {
  try {
    return { value: await load() };
  } catch (error) {
    return { error };
  }
}

function overloaded(): OperatingError {
  return new OperatingError('OVERLOADED', 'Too many look-ups are waiting already', 'Try again in a second', {
    retryable: true,
  });
}
