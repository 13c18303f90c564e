import { afterEach, expect, it, vi } from 'vitest';
import { openPacer } from './open-pacer.js';

afterEach(() => {
  vi.useRealTimers();
});

it('bounds its queue at ten seconds of arrivals and counts the rest as overflow', () => {
  vi.useFakeTimers();
  const pacer = openPacer({ kind: 'open', ratePerSecond: 100, durationMs: 15_000 }, () => {});
  pacer.start(performance.now());
  vi.advanceTimersByTime(15_001);
  expect(pacer.overflowed).toBe(500);
  expect(pacer.unsent).toBe(1_000);
  expect(pacer.isDone).toBe(false);
  pacer.stop();
  expect(pacer.isDone).toBe(true);
});
