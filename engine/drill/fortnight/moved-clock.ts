import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A time of day of its own for all processes that are started with its environment. Timers go on at their usual pace. */
export type MovedClock = {
  env: NodeJS.ProcessEnv;
  /** What those processes take for now. */
  now(): Date;
  /** Jumps ahead, in whole seconds, for all of them at once. */
  advance(seconds: number): void;
  /** Whether those processes have taken this moment for now within the last five minutes, or before the last jump. */
  wasNow(atMs: number): boolean;
};

// As it is built, also where a test reads this file as it is written.
const shareClock = new URL('../../dist-drill/fortnight/share-clock.js', import.meta.url).href;

// What receivers of webhooks tolerate between their clock and the time that is signed.
const toleranceMs = 300_000;

/** @param library as servers/faketime.ts finds it. */
export function createMovedClock(library: string, directory: string, startsAt: Date): MovedClock {
  const file = join(directory, 'clock');
  let offsetSeconds = Math.round((startsAt.getTime() - Date.now()) / 1000);

  let lastJumpSeconds = 0;

  function write(): void {
    // Whole at every moment: the library reads it whenever a process asks for the time.
    writeFileSync(`${file}.next`, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}\n`, { mode: 0o644 });
    renameSync(`${file}.next`, file);
  }

  write();
  return {
    env: {
      LD_PRELOAD: library,
      NODE_OPTIONS: `--import ${shareClock}`,
      FAKETIME_TIMESTAMP_FILE: file,
      // Otherwise each process goes on with the old time for up to ten seconds.
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      // Times of files are what was written into them.
      NO_FAKE_STAT: '1',
    },
    now: () => new Date(Date.now() + offsetSeconds * 1000),
    wasNow(atMs) {
      const sinceMs = Date.now() + offsetSeconds * 1000 - atMs;
      return [sinceMs, sinceMs - lastJumpSeconds * 1000].some(ms => Math.abs(ms) < toleranceMs);
    },
    advance(seconds) {
      offsetSeconds += seconds;
      lastJumpSeconds = seconds;
      write();
    },
  };
}
