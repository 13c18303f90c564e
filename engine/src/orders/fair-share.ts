/**
 * How many places one user of a room may have for each that is free: the one that alone wants all of it gets nine tenths,
 * two get nine nineteenths each, and however many want it, some of it stays free for the next. A fixed share would keep more
 * of it from the one hot sale that a process mostly has, and a few stuck ones would fill it all the same.
 */
const placesPerFreeOne = 9;

/** Whether one that has `own` places in a room with `free` left has its share. */
export function hasItsShare(own: number, free: number): boolean {
  return own >= placesPerFreeOne * free;
}
