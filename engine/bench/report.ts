import { type CostRound, renderCosts } from './costs.js';
import type { Measurement } from './measure.js';
import { median } from './median.js';
import type { Subject } from './servers.js';
import { type Machine, renderPage } from './write-measurement.js';

export type Results = {
  startedAt: string;
  machine: Machine;
  isQuick: boolean;
  rounds: number;
  /** Of the engine's API process, at 2,000 connections. */
  memoryPeakBytes: number | undefined;
  measurements: Measurement[];
  costs: CostRound[];
};

/** Medians over the rounds, and the two ratios that the budget limits. */
export function renderSummary(results: Results): string {
  const lines = groupsOf(results).map(group => {
    const { subject, scenario, connections, generator } = group.key;
    const rate = Math.round(median(group.rates)).toLocaleString('en').padStart(8);
    const name = `${scenario}, ${connections.toLocaleString('en')} connections`;
    return `${name.padEnd(30)} ${generator.padEnd(8)} ${subject.padEnd(17)} ${rate}/s  P50 ${group.p50Ms.toFixed(1)} ms  P99 ${group.p99Ms.toFixed(1)} ms  ${group.errors} errors`;
  });
  const first = results.measurements.find(
    ({ subject, scenario }) => subject === 'engine' && scenario === 'sellout',
  );
  const cold = first
    ? `first load of the process (the sellout of round 1): ${Math.round(first.requestsPerSecond).toLocaleString('en')}/s, P99 ${first.p99Ms.toFixed(1)} ms`
    : '';
  const memory = results.memoryPeakBytes
    ? `peak memory of the engine ${Math.round(results.memoryPeakBytes / 2 ** 20)} MB`
    : '';
  const costs = ['processor time a request, 1,000 connections:', ...renderCosts(results.costs)];
  return [...lines, '', ...ratiosOf(results), cold, '', ...costs, memory, ''].join('\n');
}

export function renderMarkdown(results: Results): string {
  const option = results.isQuick ? ' -- --quick' : '';
  return renderPage(
    `Benchmark of ${results.startedAt.slice(0, 10)}${results.isQuick ? ' (quick)' : ''}`,
    [
      `Command: \`npm run bench${option}\`; ${results.rounds} round(s), medians. The load generator,`,
      'the engine and PostgreSQL share the processors; the subjects alternate within each round.',
      'Each request had an Idempotency-Key, unless the line says otherwise.',
    ],
    results.machine,
    ['```', renderSummary(results).trimEnd(), '```'],
  );
}

type Group = { key: Measurement; rates: number[]; p50Ms: number; p99Ms: number; errors: number };

function groupsOf({ measurements }: Results): Group[] {
  const groups = new Map<string, Measurement[]>();
  for (const measurement of measurements) {
    const { scenario, connections, generator, subject } = measurement;
    const name = `${scenario} ${connections} ${generator} ${subject}`;
    groups.set(name, [...(groups.get(name) ?? []), measurement]);
  }
  return [...groups.values()].flatMap(group => {
    const [key] = group;
    if (!key) return [];
    const rates = group.map(({ requestsPerSecond }) => requestsPerSecond);
    const p50Ms = median(group.map(measurement => measurement.p50Ms));
    const p99Ms = median(group.map(measurement => measurement.p99Ms));
    return [{ key, rates, p50Ms, p99Ms, errors: group.reduce((sum, { errors }) => sum + errors, 0) }];
  });
}

/**
 * Ratios of the engine to its yardstick, round by round, because the machine's speed drifts more than either of them.
 */
function ratiosOf(results: Results): string[] {
  const groups = groupsOf(results);
  return groups.flatMap(({ key, rates }) => {
    if (key.subject !== 'engine') return [];
    const yardstick = yardsticks[key.scenario];
    const other = groups.find(
      group =>
        group.key.subject === yardstick &&
        group.key.scenario === key.scenario &&
        group.key.connections === key.connections &&
        group.key.generator === key.generator,
    );
    if (!other) return [];
    const ratios = rates.map((rate, round) => rate / (other.rates[round] ?? Number.NaN));
    const perRound = ratios.map(ratio => ratio.toFixed(2)).join(', ');
    const what = `${key.scenario}, ${key.connections} connections (${key.generator})`;
    return [`engine / ${yardstick}: ${median(ratios).toFixed(2)}  ${what}; rounds ${perRound}`];
  });
}

const yardsticks: Record<string, Subject> = { sellout: 'null-handler', throughput: 'lock-per-request' };
