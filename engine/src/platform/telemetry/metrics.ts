import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { HistogramReading } from './histogram.js';

type Labels = Record<string, string>;

/** One series: its labels and its value. */
export type Sample<Value = number> = readonly [labels: Labels, value: Value];

type Naming = { name: string; help: string; labels?: readonly string[] };
type Read<Value> = () => readonly Sample<Value>[] | Promise<readonly Sample<Value>[]>;

/**
 * The metrics that a scraper reads. Nothing is counted here: at each scrape, metrics are read from plain numbers, which
 * are counted where things happen. So a request costs no look-up of labels and no allocation.
 */
export type Metrics = {
  counter(naming: Naming, read: Read<number>): void;
  gauge(naming: Naming, read: Read<number>): void;
  histogram(naming: Naming, read: Read<HistogramReading>): void;
  /** All metrics, in Prometheus' text format. */
  text(): Promise<string>;
  contentType: string;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectProcess(registry);

  function configOf<Value>({ name, help, labels = [] }: Naming, fold: (sample: Sample<Value>) => void) {
    return {
      name,
      help,
      labelNames: labels,
      registers: [registry],
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

/** After a reset, a metric without labels is 0, although it may have no value. */
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
  // There is no await between the two, so no other scrape sees half of the values.
  reset();
  for (const sample of samples) fold(sample);
}

// Memory, processor time, garbage collection, event loop lag.
function collectProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  // These are gauges with names of counters, which Prometheus' own check refuses. Each also exists as a metric by type.
  for (const name of ['handles', 'requests', 'resources']) {
    registry.removeSingleMetric(`nodejs_active_${name}_total`);
  }
}

/**
 * prom-client's own histogram counts by itself; this one shows what was counted elsewhere. The registry gets a histogram's
 * text by this method, which its types omit; if it were removed, the contract test of all metrics would fail.
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

/** Each bucket counts all values up to its bound, including those of the buckets before it. */
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
