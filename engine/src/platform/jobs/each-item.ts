import { backoffMs } from '../backoff.js';
import type { Round, Run } from './job.js';

export type ItemsOptions<Item, Key extends string | number> = {
  /** The first part of an item's name in the log; its key is the second. */
  kind: string;
  keyOf: (item: Item) => Key;
  /** Finds items to work on, the most urgent first, at most `limit`, without those that `except` names. */
  find: (except: readonly Key[], limit: number) => Promise<readonly Item[]>;
  /** @returns how many things were done. */
  work: (item: Item, signal: AbortSignal) => Promise<number>;
  /** Items found in one round. */
  roundMax: number;
  /** Items in progress at the same time. */
  atOnceMax?: number;
  /** Whether the next round begins while items of this one are still in progress: for items that may take long. */
  overlaps?: boolean;
};

type Trouble = { failures: number; restsUntilMs: number };

// The first retry comes within a second. An item that keeps failing costs its job one try a minute.
const restBaseMs = 1000;
const restMaxMs = 60_000;
// Each search sends these keys to the database. With more than this, the item that failed first is retried at once.
const restingMax = 1000;

/**
 * The one way in which jobs work through items: each item has its turn, whatever happens to the others. A failed item is
 * reported and left out of the search until its pause is over, so that failing items cannot fill a round.
 */
export function eachItem<Item, Key extends string | number>(options: ItemsOptions<Item, Key>): Run {
  const { kind, keyOf, find, work, roundMax, atOnceMax = 1, overlaps = false } = options;
  const troubles = new Map<Key, Trouble>();
  const inWork = new Map<Key, Promise<void>>();
  let doneCount = 0;

  async function takeTurn(item: Item, key: Key, { signal, onItemFailed }: Round): Promise<void> {
    try {
      const count = await work(item, signal);
      doneCount += count;
      troubles.delete(key);
    } catch (error) {
      if (signal.aborted) return;
      const failures = (troubles.get(key)?.failures ?? 0) + 1;
      rest(key, failures);
      onItemFailed(`${kind} ${key}`, failures, error);
    }
  }

  function rest(key: Key, failures: number): void {
    troubles.delete(key);
    const [first] = troubles.keys();
    if (first !== undefined && troubles.size >= restingMax) troubles.delete(first);
    const restsUntilMs = performance.now() + backoffMs(failures - 1, restBaseMs, restMaxMs);
    troubles.set(key, { failures, restsUntilMs });
  }

  // An item whose pause is over and that the search no longer finds has been settled elsewhere.
  function forgetSettled(soughtAtMs: number, found: readonly Item[]): void {
    const foundKeys = new Set(found.map(keyOf));
    for (const [key, { restsUntilMs }] of troubles)
      if (restsUntilMs <= soughtAtMs && !foundKeys.has(key)) troubles.delete(key);
  }

  return async round => {
    const nowMs = performance.now();
    const resting = [...troubles].flatMap(([key, { restsUntilMs }]) => (restsUntilMs > nowMs ? [key] : []));
    const room = Math.min(roundMax, overlaps ? atOnceMax - inWork.size : roundMax);
    const found = room > 0 ? await find([...resting, ...inWork.keys()], room) : [];
    if (room > 0) forgetSettled(nowMs, found);
    for (const item of found) {
      if (inWork.size >= atOnceMax) await Promise.race(inWork.values());
      if (round.signal.aborted) break;
      const key = keyOf(item);
      const turn = takeTurn(item, key, round).finally(() => inWork.delete(key));
      inWork.set(key, turn);
      round.hold(turn);
    }
    if (!overlaps) await Promise.all(inWork.values());
    round.onItemsFailing(troubles.size);
    const count = doneCount;
    doneCount = 0;
    return count;
  };
}
