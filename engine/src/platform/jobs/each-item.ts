import { backoffMs } from '../backoff.js';
import type { Round, Run } from './job.js';

export type ItemsOptions<Item, Key extends string | number> = {
  /** What an item is called in the log: its kind, then its key. */
  kind: string;
  keyOf: (item: Item) => Key;
  /** What is to be done, the most urgent first, at most `limit`, without the items that `except` names. */
  find: (except: readonly Key[], limit: number) => Promise<readonly Item[]>;
  /** @returns how many things were done. */
  work: (item: Item, signal: AbortSignal) => Promise<number>;
  /** Items found in one round. */
  roundMax: number;
  /** Items in work at the same time. */
  atOnceMax?: number;
  /** The next round begins while items of this one are in work: for items that may take long. */
  overlaps?: boolean;
};

type Trouble = { failures: number; restsUntilMs: number };

// The first retry comes within a second. An item that keeps failing costs its job a try a minute.
const restBaseMs = 1000;
const restMaxMs = 60_000;
// The keys go to the database with each search. Beyond so many, the item that failed first is tried again at once.
const restingMax = 1000;

/**
 * The one way in which jobs work through items: each has its turn, whatever becomes of the others. An item that fails is
 * reported, and left out of the search until its pause is over, so that failing items cannot fill a round either.
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

  // An item whose pause was over and that was not found any more has been settled elsewhere.
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
