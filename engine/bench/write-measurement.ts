import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

export type Machine = Record<string, string>;

const directory = fileURLToPath(new URL('../../docs/measurements/', import.meta.url));

/** Writes raw figures to docs/measurements/, with the page about them, if any, beside them. @returns the path. */
export function writeMeasurement(
  name: string,
  figures: Record<string, unknown>,
  { page, date = today() }: { page?: string; date?: string } = {},
): string {
  mkdirSync(directory, { recursive: true });
  const file = `${date}-${name}`;
  writeFileSync(`${directory}${file}.json`, `${JSON.stringify(figures, undefined, 1)}\n`);
  if (page !== undefined) writeFileSync(`${directory}${file}.md`, page);
  return `docs/measurements/${file}.json`;
}

export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

export function describeMachine(): Machine {
  return {
    processors: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${process.platform} ${release()} ${arch()}`,
    node: process.version,
    postgresql: '18.4, embedded, fsync and synchronous_commit on',
  };
}

/** Renders what was measured and how, on which machine, and the results. */
export function renderPage(
  title: string,
  how: readonly string[],
  machine: Machine,
  figures: readonly string[],
): string {
  const ofMachine = Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`);
  return [`# ${title}`, '', ...how, '', ...ofMachine, '', ...figures, ''].join('\n');
}

export function renderTable(
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string[] {
  return [`| ${columns.join(' | ')} |`, `|${'---|'.repeat(columns.length)}`, ...rows.map(renderRow)];
}

export function renderRow(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}
