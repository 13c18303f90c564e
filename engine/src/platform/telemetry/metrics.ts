import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { HistogramReading } from './histogram.js';

type Labels = Record<string, string>;

/** One series: its labels, and what it stands at. */
export type Sample<Value = number> = readonly [labels: Labels, value: Value];

type Naming = { name: string; help: string; labels?: readonly string[] };
type Read<Value> = () => readonly Sample<Value>[] | Promise<readonly Sample<Value>[]>;

/**
 * What a scraper is shown. Nothing is counted here: each metric is read, when somebody asks, from plain numbers that are
 * counted where things happen. So a request costs no look-up of labels and no object.
 */
export type Metrics = {
  counter(naming: Naming, read: Read<number>): void;
  gauge(naming: Naming, read: Read<number>): void;
  histogram(naming: Naming, read: Read<HistogramReading>): void;
  /** All of it, in Prometheus' text format. */
  text(): Promise<string>;
  contentType: string;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectProcess(registry);

  function configOf<Value>({ name, help, labels = [] }: Naming, fold: (sample: Sample<Value>) => void) {
    return {
      ...{ name, help, labelNames: labels, registers: [registry] },
      collect: (read: Read<Value>, reset: () => void) => foldAll(read, reset, fold),
    };
  }

  return {
    counter(naming, read) {
      const { collect, ...config } = configOf<number>(naming, ([labels, value]) => metric.inc(labels, value));
      const metric = new Counter({ ...config, collect: () => collect(read, () => empty(metric)) });
    },
    gauge(naming, read) {
      const { collect, ...config } = configOf<number>(naming, ([labels, value]) => metric.set(labels, value));
      const metric = new Gauge({ ...config, collect: () => collect(read, () => empty(metric)) });
    },
    histogram: ({ name, help, labels = [] }, read) => {
      registry.registerMetric(new ReadHistogram({ name, help, labelNames: labels, registers: [] }, read));
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** A metric without labels is 0 after a reset: a figure, where there may be none. */
function empty(metric: Counter | Gauge): void {
  metric.reset();
  metric.remove({});
}

async function foldAll<Value>(
  read: Read<Value>,
  reset: () => void,
  fold: (sample: Sample<Value>) => void,
): Promise<void> {
  const samples = await read();
  // Between the two nothing is awaited, so that no other scrape sees half of it.
  reset();
  for (const sample of samples) fold(sample);
}

// Memory, processor time, garbage collection, lag of the event loop.
function collectProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  // These are gauges whose names say that they are counters, which Prometheus' own check refuses. Each has one by type.
  for (const name of ['handles', 'requests', 'resources']) {
    registry.removeSingleMetric(`nodejs_active_${name}_total`);
  }
}

/**
 * prom-client's own histogram counts by itself; this one shows what was counted elsewhere. The registry asks a histogram
 * for its text by this method, which its types leave out; the contract test of all metrics would notice its going.
 */
class ReadHistogram extends Histogram {
  constructor(
    private readonly config: { name: string; help: string; labelNames: readonly string[]; registers: [] },
    private readonly read: Read<HistogramReading>,
  ) {
    super(config);
  }

  async getForPromString() {
    const { name, help } = this.config;
    const samples = await this.read();
    const values = samples.flatMap(([labels, reading]) => seriesOf(name, labels, reading));
    return { name, help, type: 'histogram', values, aggregator: 'sum' };
  }
}

/** Each bucket counts all up to its bound, and so those of the buckets before it. */
function seriesOf(name: string, labels: Labels, { bounds, counts, sum }: HistogramReading) {
  let below = 0;
  const buckets = counts.map((count, bucket) => {
    below += count;
    return {
      metricName: `${name}_bucket`,
      labels: { ...labels, le: bounds[bucket] ?? '+Inf' },
      value: below,
    };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: below },
  ];
}
