import type { FastifyRequest } from 'fastify';

type Cell = string | number | boolean | null;

/** Whether the caller wants a listing as CSV: by its `format`, otherwise by the Accept header. */
export function wantsCsv(format: 'json' | 'csv' | undefined, { headers }: FastifyRequest): boolean {
  return format ? format === 'csv' : (headers.accept ?? '').includes('text/csv');
}

/** A table as CSV (RFC 4180) with a header line; every row has the columns of `columns`. */
export function csvOf<Column extends string>(
  columns: readonly Column[],
  rows: readonly Readonly<Record<Column, Cell>>[],
): string {
  const lines = rows.map(row => columns.map(column => cellOf(row[column])).join(','));
  return [columns.join(','), ...lines, ''].join('\r\n');
}

// A spreadsheet runs a cell that begins with one of these characters as a formula, even inside quotes, and shoppers
// choose their own names. The apostrophe turns it into text.
const formula = /^[=+\-@\t\r]/;

function cellOf(value: Cell): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  const text = formula.test(value) ? `'${value}` : value;
  return text !== value || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
