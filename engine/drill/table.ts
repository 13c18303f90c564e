import type { DrillResult } from './drill.js';

const heads = [
  'scenario',
  'fault',
  'requests',
  'lost',
  'duplicated',
  'oversold',
  'stuck',
  'recovered',
  'gate agrees',
  '',
];

/** The results as a table for people, one line per drill. */
export function renderTable(results: readonly DrillResult[]): string {
  return renderRows([heads, ...results.map(cellsOf)]);
}

/** The first row contains the column headings. */
export function renderRows(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cellsOf(result: DrillResult): string[] {
  const { scenario, fault, requests, lost, duplicated, oversold, stuck, recoveredMs, gateAgreedMs } = result;
  return [
    ...[scenario, fault, requests.toLocaleString('en')],
    ...[lost, duplicated, oversold, stuck].map(count => (count === null ? '?' : String(count))),
    ...[recoveredMs, gateAgreedMs].map(ms => (ms === null ? '-' : `${(ms / 1000).toFixed(2)} s`)),
    result.breaches.length === 0 ? 'ok' : 'BROKEN',
  ];
}
