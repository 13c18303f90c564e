import { renderRows } from '../table.js';
import type { Size } from './growth.js';

/** The result of a simulated day. */
export type FortnightDay = {
  day: number;
  endsAt: Date;
  webhooks: { tries: number; refused: number };
  /** The engine's warnings, and how often each occurred. */
  warnings: Record<string, number>;
  size: Size;
  breaches: string[];
};

const heads = [
  ...[
    'day',
    'ends at (UTC)',
    'orders',
    'attempts',
    'partitions',
    'trail',
    'events',
    'webhook tries',
    'refused',
  ],
  ...['files', 'MB', 'engine fds', 'timers', 'engine MB', 'heap MB', 'pg fds', 'pg MB', 'warnings', ''],
];

/** The days as a table for people. */
export function renderDays(days: readonly FortnightDay[]): string {
  return renderRows([heads, ...days.map(cellsOf)]);
}

function cellsOf({ day, endsAt, webhooks, warnings, size, breaches }: FortnightDay): string[] {
  const { rows } = size;
  return [
    ...[String(day), endsAt.toISOString().slice(0, 16).replace('T', ' ')],
    ...['orders', 'attempts'].map(table => String(rows[table])),
    String(size.partitions),
    ...['operator_actions', 'webhook_events'].map(table => String(rows[table])),
    ...[webhooks.tries, webhooks.refused, size.files].map(String),
    ...[size.megabytes, size.engineDescriptors, size.engineTimers].map(figure => figure.toFixed(0)),
    ...[size.engineMegabytes, size.engineHeapMegabytes].map(figure => figure.toFixed(0)),
    ...[size.databaseDescriptors, size.databaseMegabytes].map(figure => figure.toFixed(0)),
    String(Object.values(warnings).reduce((sum, count) => sum + count, 0)),
    breaches.length === 0 ? 'ok' : `BROKEN ${breaches.length}`,
  ];
}

/** One line of progress. */
export function describeDay({ day, endsAt, warnings, size, breaches }: FortnightDay): string {
  const warned = Object.entries(warnings).map(([what, count]) => `\n           ${count} x ${what}`);
  const verdict = breaches.length === 0 ? 'ok' : `${breaches.length} breaches`;
  return `day ${day}, until ${endsAt.toISOString()}: ${size.rows.orders} orders, ${verdict}${warned.join('')}`;
}
