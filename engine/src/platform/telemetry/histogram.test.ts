import { describe, expect, it } from 'vitest';
import { createHistogram, differenceOf, quantileOf, sumOf } from './histogram.js';

const bounds = [1, 2, 4];

describe('a histogram', () => {
  it('counts a value in the first bucket that holds it, and values beyond all buckets in the last', () => {
    const histogram = createHistogram(bounds);
    for (const value of [0, 1, 1.5, 2, 3, 5, 500]) histogram.observe(value);
    expect(histogram.read()).toEqual({ bounds, counts: [2, 2, 1, 2], sum: 512.5 });
  });

  it('reports what was added since a snapshot, and the sum of several histograms', () => {
    const histogram = createHistogram(bounds);
    histogram.observe(1);
    const before = histogram.read();
    histogram.observe(3);
    expect(differenceOf(histogram.read(), before)).toEqual({ bounds, counts: [0, 0, 1, 0], sum: 3 });
    expect(sumOf(bounds, [before, histogram.read()])).toEqual({ bounds, counts: [2, 0, 1, 0], sum: 5 });
  });

  it('estimates a quantile within its bucket, and none if it is empty', () => {
    const histogram = createHistogram(bounds);
    expect(quantileOf(histogram.read(), 0.5)).toBeUndefined();
    for (const value of [0.5, 0.5, 3, 3]) histogram.observe(value);
    expect(quantileOf(histogram.read(), 0.25)).toBe(0.5);
    expect(quantileOf(histogram.read(), 0.75)).toBe(3);
    histogram.observe(1000);
    expect(quantileOf(histogram.read(), 1)).toBe(4);
  });
});
