import { endsWithin } from '../platform/backoff.js';

/** Places for calls in progress, and a bounded queue of calls that wait for one. */
export type Places = {
  /** Waits for a place, at most `withinMs`; does not wait if the queue is full. */
  take(withinMs: number): Promise<'taken' | 'full' | 'late'>;
  /** Frees a place, for the call that has waited longest. */
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
      // A call that was admitted at the last moment has a place and must free it.
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
