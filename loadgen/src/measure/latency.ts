import { build, type Histogram } from 'hdr-histogram-js';

/** Latency in milliseconds, precise to three digits. */
export interface LatencyMs {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
  readonly count: number;
}

// Ten minutes, far above any request timeout. Longer values are clamped to it instead of throwing.
const MICROSECONDS_MAX = 600_000_000;

/** A histogram of latencies in whole microseconds. Recording one allocates nothing. */
export class LatencyRecorder {
  readonly #histogram: Histogram;

  constructor(histogram: Histogram = emptyHistogram()) {
    this.#histogram = histogram;
  }

  record(latencyMs: number): void {
    this.#histogram.recordValue(Math.min(MICROSECONDS_MAX, Math.max(1, Math.round(latencyMs * 1000))));
  }

  percentileMs(percentile: number): number {
    return this.#histogram.getValueAtPercentile(percentile) / 1000;
  }

  /**
   * A closed loop sends nothing while it waits, so a stall of the server hides the requests that would have been sent
   * during it. The returned copy adds them: each latency longer than the expected interval adds the latencies of the
   * requests that would have followed at that interval.
   */
  corrected(expectedIntervalMs: number): LatencyRecorder {
    const intervalMicroseconds = Math.max(1, Math.round(expectedIntervalMs * 1000));
    return new LatencyRecorder(this.#histogram.copyCorrectedForCoordinatedOmission(intervalMicroseconds));
  }

  summary(): LatencyMs {
    return {
      p50: this.percentileMs(50),
      p95: this.percentileMs(95),
      p99: this.percentileMs(99),
      p999: this.percentileMs(99.9),
      max: this.#histogram.maxValue / 1000,
      mean: Math.round(this.#histogram.mean) / 1000,
      count: this.#histogram.totalCount,
    };
  }
}

function emptyHistogram(): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: MICROSECONDS_MAX,
    numberOfSignificantValueDigits: 3,
  });
}
