/**
 * A histogram in plain numbers: observing costs a few comparisons and allocates nothing. Readers read it whole, which
 * copies only the counts.
 */
export type Histogram = {
  observe(value: number): void;
  read(): HistogramReading;
};

/** `counts` has one element per bound, for values up to it and above the previous one, and a last one for all beyond. */
export type HistogramReading = { bounds: readonly number[]; counts: readonly number[]; sum: number };

/** @param bounds upper bounds, in ascending order. */
export function createHistogram(bounds: readonly number[]): Histogram {
  const counts = new Float64Array(bounds.length + 1);
  let sum = 0;
  return {
    observe(value) {
      let bucket = 0;
      // Most values are small, and there are at most twenty bounds: this is faster than a binary search.
      while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      sum += value;
    },
    read: () => ({ bounds, counts: [...counts], sum }),
  };
}

/** What was observed between two readings of one histogram. */
export function differenceOf(after: HistogramReading, before: HistogramReading): HistogramReading {
  return {
    bounds: after.bounds,
    counts: after.counts.map((count, bucket) => count - (before.counts[bucket] ?? 0)),
    sum: after.sum - before.sum,
  };
}

/** Several histograms with the same bounds as one. */
export function sumOf(bounds: readonly number[], readings: readonly HistogramReading[]): HistogramReading {
  return {
    bounds,
    counts: Array.from({ length: bounds.length + 1 }, (_, bucket) =>
      readings.reduce((sum, { counts }) => sum + (counts[bucket] ?? 0), 0),
    ),
    sum: readings.reduce((sum, reading) => sum + reading.sum, 0),
  };
}

/**
 * The value below which the share `quantile` of the observations lies, interpolated within its bucket like Prometheus'
 * histogram_quantile(): the error is at most the width of a bucket. Beyond the last bound it is that bound; undefined if
 * nothing was observed.
 */
export function quantileOf({ bounds, counts }: HistogramReading, quantile: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = quantile * total;
  let below = 0;
  for (const [bucket, upper] of bounds.entries()) {
    const count = counts[bucket] ?? 0;
    if (count > 0 && below + count >= rank) {
      const lower = bounds[bucket - 1] ?? 0;
      return lower + ((upper - lower) * (rank - below)) / count;
    }
    below += count;
  }
  return bounds.at(-1);
}
