import { open, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from './postgres-errors.js';

/** The length of each log file at some moment; everything beyond it was written later. */
export type LogPositions = Map<string, number>;

const ageMaxMs = 7 * 24 * 60 * 60_000;
// A normal week writes a few hundred lines; this bounds a server that logs a complaint for every statement.
const sizeMaxBytes = 32 * 1024 * 1024;
const tailBytes = 16 * 1024;

/**
 * PostgreSQL empties a weekday's file only if it runs across midnight. For an engine that is stopped every evening the
 * files would grow forever, so each start first removes old ones and truncates oversized ones.
 */
export async function pruneLogs(logDir: string): Promise<void> {
  for (const path of await logFiles(logDir)) {
    const found = await stat(path);
    if (Date.now() - found.mtimeMs > ageMaxMs) await rm(path, { force: true });
    else if (found.size > sizeMaxBytes) await truncate(path);
  }
}

export async function logPositions(logDir: string): Promise<LogPositions> {
  const positions: LogPositions = new Map();
  for (const path of await logFiles(logDir)) positions.set(path, (await stat(path)).size);
  return positions;
}

/** What the server has written since: first to stderr, until the log collector ran, then to the log files. */
export async function logsSince(
  startupLog: string,
  logDir: string,
  positions: LogPositions,
): Promise<string[]> {
  const parts = [await readTail(startupLog, 0)];
  for (const path of await logFiles(logDir)) parts.push(await readTail(path, positions.get(path) ?? 0));
  return parts.flatMap(part => part.split('\n')).filter(line => line.trim() !== '');
}

async function logFiles(logDir: string): Promise<string[]> {
  const names = (await unlessMissing(readdir(logDir))) ?? [];
  return names.filter(name => /^postgresql-\w+\.log$/.test(name)).map(name => join(logDir, name));
}

async function readTail(path: string, from: number): Promise<string> {
  const file = await unlessMissing(open(path, 'r'));
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const start = Math.max(from, size - tailBytes);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
