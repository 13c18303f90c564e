import { describe, expect, it } from 'vitest';
import { problemsOfGrowth, type Size } from '../drill/fortnight/growth.js';

const flat: Size = {
  rows: {},
  partitions: 7,
  files: 1500,
  megabytes: 80,
  engineDescriptors: 88,
  engineMegabytes: 120,
  engineHeapMegabytes: 50,
  engineTimers: 37,
  databaseDescriptors: 2500,
  databaseMegabytes: 240,
};
const daysOf = (counts: readonly number[]): Size[] =>
  counts.map(webhook_events => ({ ...flat, rows: { webhook_events } }));

describe('the fortnight’s judge of growth', () => {
  it('accepts a table of three days’ rows, whichever day its sweep comes', () => {
    const swept = [253, 509, 765, 852, 803, 761, 1017, 1002, 941, 913, 851, 781, 768, 1024];
    expect(problemsOfGrowth(daysOf(swept))).toEqual([]);
  });

  it('finds a table that loses a tenth of what it should', () => {
    const leaking = Array.from({ length: 14 }, (_, day) => Math.min(day + 1, 3) * 256 + day * 60);
    expect(problemsOfGrowth(daysOf(leaking))).toEqual([expect.stringContaining('webhook_events')]);
  });

  it('finds a table that is never swept', () => {
    const kept = Array.from({ length: 14 }, (_, day) => (day + 1) * 256);
    expect(problemsOfGrowth(daysOf(kept))).toEqual([expect.stringContaining('webhook_events')]);
  });
});
