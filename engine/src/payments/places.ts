import { endsWithin } from '../platform/backoff.js';

/** Places for calls that are under way, and a bounded line of those that wait for one. */
export type Places = {
  /** Waits for a place, for `withinMs` at most; not at all when as many wait already as may. */
  take(withinMs: number): Promise<'taken' | 'full' | 'late'>;
  /** Gives a place back, to whoever has waited longest. */
  free(): void;
};

export function createPlaces(placesMax: number, waitingMax: number): Places {
  let taken = 0;
  const waiting = new Set<() => void>();

  return {
    async take(withinMs) {
      if (taken < placesMax) {
        taken += 1;
        return 'taken';
      }
      if (waiting.size >= waitingMax) return 'full';
      let admit = () => {};
      const admitted = new Promise<void>(resolve => {
        admit = resolve;
      });
      waiting.add(admit);
      await endsWithin(admitted, withinMs);
      // One that was admitted at the last moment has a place, and gives it back.
      return waiting.delete(admit) ? 'late' : 'taken';
    },
    free() {
      const [next] = waiting;
      if (!next) {
        taken -= 1;
        return;
      }
      waiting.delete(next);
      next();
    },
  };
}
