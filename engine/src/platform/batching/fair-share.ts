/**
 * How many places one sale may have for each free place. A single sale that wants everything gets nine tenths; two get
 * nine nineteenths each; however many want places, some stay free for the next. A fixed share would give less to the one
 * hot sale that a process mostly has, and a few stuck sales could still fill everything.
 */
const placesPerFreeOne = 9;

/** Whether a sale that has `own` places, with `free` places left, has its share. */
export function hasItsShare(own: number, free: number): boolean {
  return own >= placesPerFreeOne * free;
}
