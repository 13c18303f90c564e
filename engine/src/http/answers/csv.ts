import type { FastifyRequest } from 'fastify';

type Cell = string | number | boolean | null;

/** Whether a listing is asked for as CSV, by its `format` or else by the Accept header. */
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

// A spreadsheet runs a cell that begins with one of these as a formula, also where it stands in quotes, and a shopper
// chooses their own name. The apostrophe makes it text.
const formula = /^[=+\-@\t\r]/;

function cellOf(value: Cell): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  const text = formula.test(value) ? `'${value}` : value;
  return text !== value || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
