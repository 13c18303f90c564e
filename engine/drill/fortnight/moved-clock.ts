import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A separate time of day for all processes started with its environment. Timers run at their usual pace. */
export type MovedClock = {
  env: NodeJS.ProcessEnv;
  /** The current time of those processes. */
  now(): Date;
  /** Moves all of them ahead at once, by whole seconds. */
  advance(seconds: number): void;
  /**
   * Whether this moment was the current time of those processes within the last five minutes, or before the last jump.
   */
  wasNow(atMs: number): boolean;
};

// The built file, even if a test runs this file from source.
const shareClock = new URL('../../dist-drill/fortnight/share-clock.js', import.meta.url).href;

// The tolerance of webhook receivers between their clock and the signed time.
const toleranceMs = 300_000;

/** @param library the path that servers/faketime.ts finds. */
export function createMovedClock(library: string, directory: string, startsAt: Date): MovedClock {
  const file = join(directory, 'clock');
  let offsetSeconds = Math.round((startsAt.getTime() - Date.now()) / 1000);

  let lastJumpSeconds = 0;

  function write(): void {
    // Replaced atomically, because the library reads it whenever a process asks for the time.
    writeFileSync(`${file}.next`, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}\n`, { mode: 0o644 });
    renameSync(`${file}.next`, file);
  }

  write();
  return {
    env: {
      LD_PRELOAD: library,
      NODE_OPTIONS: `--import ${shareClock}`,
      FAKETIME_TIMESTAMP_FILE: file,
      // Otherwise each process would keep the old time for up to ten seconds.
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      // File times stay as they were written.
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
