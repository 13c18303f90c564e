/**
 * How many places one sale may have for each free place. One hot sale gets nine tenths of all places, and two get nine
 * nineteenths each. However many compete, some places stay free for the next sale. A fixed share would give less to the
 * one hot sale that a process usually has, and a few stuck sales could still take every place.
 */
const placesPerFreeOne = 9;

/** Whether a sale with `own` places has its full share while `free` places are left. */
export function hasItsShare(own: number, free: number): boolean {
  return own >= placesPerFreeOne * free;
}
