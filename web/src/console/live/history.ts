import type { paths } from '@doorbuster/client';

/** What the engine says of itself each second. */
export type LiveFrame = paths['/api/admin/live']['get']['responses'][200]['content']['text/event-stream'];

// Two minutes: as much as fits on a phone's width, a second a pixel or two.
const framesMax = 120;

/** The frames so far, the last ones, each second once. */
export function withFrame(frames: readonly LiveFrame[], frame: LiveFrame): readonly LiveFrame[] {
  const last = frames.at(-1);
  // Another process answers after the old one is gone: its counts began anew, and its past is its own.
  const kept = last && last.process !== frame.process ? [] : frames;
  if (last && last.at >= frame.at && kept.length > 0) return frames;
  return [...kept, frame].slice(-framesMax);
}

/** In seconds, as the charts have it. */
export function timesOf(frames: readonly LiveFrame[]): number[] {
  return frames.map(({ at }) => Date.parse(at) / 1000);
}
