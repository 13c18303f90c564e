import type { LatencyMs } from './measure/latency.js';
import { curveText } from './overload/judge-curve.js';
import type { Report } from './report.js';
import { SETTING_NAMES, SETTING_RULES, settingText } from './scenarios/settings.js';
import { integer, milliseconds } from './text.js';

/** The report in human-readable form. */
export function reportText(report: Report): string {
  const sections = [
    title(report),
    rows(figureRows(report)),
    latencyTable(report),
    `Outcomes\n${rows(outcomeRows(report.outcomes))}`,
    ...roadSections(report),
    ...(report.curve === null ? [] : [curveText(report.curve)]),
    verdictText(report),
  ];
  return `\n${sections.join('\n\n')}\n`;
}

function title({ scenario, url, settings, interrupted, givenUp }: Report): string {
  const given = SETTING_NAMES.flatMap(name => {
    const text = settingText(name, settings);
    return text === null ? [] : [`${SETTING_RULES[name].flag} ${text}`];
  });
  const note = `${interrupted ? ' (interrupted)' : ''}${givenUp ? ' (given up: the server was unreachable)' : ''}`;
  return `${scenario} at ${url}: ${given.join(', ')}${note}`;
}

function figureRows({
  throughput,
  decisions,
  ids,
  elapsedMs,
  connections,
  generator,
  scenario,
}: Report): Row[] {
  const table: Row[] = [
    ['requests', integer(throughput.requests), `${integer(throughput.requestsPerSecond)} req/s`],
    ['elapsed', `${milliseconds(elapsedMs)} ms`, scenario === 'race' ? 'until the last was answered' : ''],
    ['connections', integer(connections.opened), `${integer(connections.refused)} refused`],
    [
      'generator',
      `${(generator.cpuShare * 100).toFixed(0)} % CPU`,
      `of one core, ${integer(generator.rssMaxBytes / 1_048_576)} MB at most`,
    ],
  ];
  const { confirmed, confirmedPerSecond, reserved, reservedPerSecond, queued, queuedPerSecond } = throughput;
  const granted: Row[] = [
    ['confirmed', integer(confirmed), `${integer(confirmedPerSecond)} orders/s`],
    ['reserved', integer(reserved), `${integer(reservedPerSecond)} holds/s`],
    ['queued', integer(queued), `${integer(queuedPerSecond)} accepted/s`],
  ];
  const given: Row[] = ids === null ? [] : [['ids', integer(ids.given), `${integer(ids.perSecond)} ids/s`]];
  table.splice(1, 0, ...granted.filter(([, count]) => count !== '0'), ...decisionRows(decisions), ...given);
  return table;
}

function decisionRows(decisions: Report['decisions']): Row[] {
  if (decisions === null) return [];
  const { decided, decidedBefore, elapsedMs, decidedPerSecond, middlePerSecond } = decisions;
  const middle = middlePerSecond === null ? '' : `, ${integer(middlePerSecond)}/s from 10 % to 90 %`;
  const before =
    decidedBefore === 0 ? '' : `, plus ${integer(decidedBefore)} while others were being accepted`;
  const remark = `${integer(decidedPerSecond)} decided/s in ${milliseconds(elapsedMs)} ms${middle}${before}`;
  return [['decided', integer(decided), remark]];
}

function latencyTable({ latencyMs }: Report): string {
  const { service, corrected, correction } = latencyMs;
  const basis = correction === 'intended-time' ? 'since due' : 'corrected';
  const cells = (latency: LatencyMs) =>
    [latency.p50, latency.p95, latency.p99, latency.p999, latency.max].map(milliseconds);
  const table = [
    ['Latency, ms', 'P50', 'P95', 'P99', 'P99.9', 'max'],
    ['  service', ...cells(service)],
    [`  ${basis}`, ...cells(corrected)],
  ];
  return table
    .map(([name = '', ...values]) => name.padEnd(14) + values.map(value => value.padStart(10)).join(''))
    .join('\n');
}

function roadSections({ roads, ends }: Report): string[] {
  return roads.map(({ road, outcomes, latencyMs }) => {
    const { p50, p99, max } = latencyMs;
    const latency = `P50 ${milliseconds(p50)} ms, P99 ${milliseconds(p99)} ms, max ${milliseconds(max)} ms`;
    const endRows = ends
      .filter(end => end.road === road)
      .map(
        ({ status, reason, count }): Row => [
          `-> ${status}${reason === null ? '' : ` ${reason}`}`,
          integer(count),
          '',
        ],
      );
    return `Road ${road}: ${latency}\n${rows([...outcomeRows(outcomes), ...endRows])}`;
  });
}

function outcomeRows(outcomes: Report['outcomes']): Row[] {
  const total = outcomes.reduce((sum, { count }) => sum + count, 0);
  return outcomes.map(({ status, slug, count }) => [
    `${status ?? '---'} ${slug}`,
    integer(count),
    `${((count / total) * 100).toFixed(2)} %`,
  ]);
}

function verdictText({ verdict }: Report): string {
  if (verdict.result === 'none') return 'Verdict: none for this scenario';
  const width = Math.max(...verdict.checks.map(({ name }) => name.length));
  const lines = verdict.checks.map(
    ({ name, ok, detail }) => `  ${ok ? 'PASS' : 'FAIL'}  ${name.padEnd(width)}  ${detail}`,
  );
  const basis = verdict.verified ? "answers and the server's orders" : 'answers only, not verified';
  return `Verdict: ${verdict.result.toUpperCase()} (${basis})\n${lines.join('\n')}`;
}

type Row = [name: string, figure: string, remark: string];

function rows(table: readonly Row[]): string {
  const width = Math.max(20, ...table.map(([name]) => name.length));
  return table
    .map(([name, figure, remark]) => `  ${name.padEnd(width)}${figure.padStart(12)}  ${remark}`.trimEnd())
    .join('\n');
}
