import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Shop } from './shop.js';

/** Sizes at the end of a day. */
export type Size = {
  /** Rows of each table; partitions count as one. */
  rows: Record<string, number>;
  partitions: number;
  files: number;
  megabytes: number;
  engineDescriptors: number;
  engineMegabytes: number;
  engineHeapMegabytes: number;
  engineTimers: number;
  databaseDescriptors: number;
  databaseMegabytes: number;
};

export async function measure({ pool, directory, metricsUrl, enginePid, databasePid }: Shop): Promise<Size> {
  const metrics = await (await fetch(`${metricsUrl}/metrics`)).text();
  const figureOf = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1] ?? 0);
  const { rows: names } = await pool.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by relname`,
  );
  const rows: Record<string, number> = {};
  for (const { name } of names) {
    const { rows: counted } = await pool.query<{ count: number }>(
      `select count(*)::integer as count from ${name}`,
    );
    rows[name] = counted[0]?.count ?? 0;
  }
  const { rows: attached } = await pool.query(
    `select from pg_inherits where inhparent = 'attempts'::regclass`,
  );
  const files = listFiles(directory);
  const database = [databasePid, ...childrenOf(databasePid)];
  return {
    rows,
    partitions: attached.length,
    files: files.length,
    megabytes: sum(files.map(bytesOf)) / mebibyte,
    engineDescriptors: descriptorsOf(enginePid),
    engineMegabytes: memoryOf(enginePid),
    engineHeapMegabytes: figureOf('nodejs_heap_size_used_bytes') / mebibyte,
    engineTimers: figureOf('nodejs_active_resources{type="Timeout"}'),
    databaseDescriptors: sum(database.map(descriptorsOf)),
    databaseMegabytes: sum(database.map(memoryOf)),
  };
}

const mebibyte = 2 ** 20;

function listFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

// Files and processes appear and disappear while they are counted.
function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function descriptorsOf(pid: number): number {
  return existsSync(`/proc/${pid}/fd`) ? readdirSync(`/proc/${pid}/fd`).length : 0;
}

function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number) : [];
}

/** Proportional set size: memory shared by several processes counts once. */
function memoryOf(pid: number): number {
  const file = `/proc/${pid}/smaps_rollup`;
  const kilobytes = existsSync(file) ? /^Pss:\s+(\d+) kB/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  return Number(kilobytes ?? 0) / 1024;
}

const sum = (figures: readonly number[]) => figures.reduce((total, figure) => total + figure, 0);

/** The permanent tables: what was sold, and how. They grow with each day's sales and are never deleted. */
const books = new Set([
  ...['products', 'sales', 'sale_series', 'sale_journal', 'stock'],
  ...['orders', 'journal', 'allowances', 'digest_allowances', 'payments', 'payment_journal', 'dead_letters'],
  ...['sold_by_hour', 'sold_summed'],
  // Kept for 30 days after their end. Their deletion is checked when forty days pass at once.
  'operator_sessions',
]);

/** Days after which all data with a limited lifetime has begun to expire. */
const warmUpDays = 5;

/**
 * What has grown since the day on which everything was warm. Permanent tables may grow by as many rows per day as on
 * that day. Everything else must keep its size.
 */
export function problemsOfGrowth(days: readonly Size[]): string[] {
  const warm = days[warmUpDays];
  const before = days[warmUpDays - 1];
  const last = days.at(-1);
  if (!warm || !before || !last || last === warm) return [];
  const passed = days.length - 1 - warmUpDays;
  const problems: string[] = [];
  const hold = (what: string, now: number, allowed: number) => {
    if (now > allowed) problems.push(`${what} grew to ${now.toFixed(0)}, limit ${allowed.toFixed(0)}`);
  };
  for (const [table, now] of Object.entries(last.rows)) {
    const then = warm.rows[table] ?? 0;
    const aDay = then - (before.rows[table] ?? 0);
    if (books.has(table)) hold(`rows of ${table}`, now, then + (1.2 * aDay + 2) * passed);
    else hold(`rows of ${table}`, now, mostWhileWarmingUp(days, table));
  }
  hold('partitions of attempts', last.partitions, warm.partitions + 1);
  hold('files', last.files, 1.1 * warm.files);
  hold('file descriptors of the engine', last.engineDescriptors, warm.engineDescriptors + 10);
  hold('timers of the engine', last.engineTimers, warm.engineTimers + 10);
  hold('memory of the engine', last.engineMegabytes, 1.15 * warm.engineMegabytes + 10);
  // These vary with the number of open connections, and can double within a minute.
  const upToThen = days.slice(0, warmUpDays + 1);
  const descriptors = Math.max(...upToThen.map(day => day.databaseDescriptors));
  const megabytes = Math.max(...upToThen.map(day => day.databaseMegabytes));
  hold('file descriptors of PostgreSQL', last.databaseDescriptors, 1.3 * descriptors);
  hold('memory of PostgreSQL', last.databaseMegabytes, 1.15 * megabytes + 10);
  return problems;
}

/**
 * A table whose rows have a limited lifetime holds as many as in its largest day so far. Sweeps come between the steps of
 * the clock, so it may hold one more day's rows.
 */
function mostWhileWarmingUp(days: readonly Size[], table: string): number {
  const rows = days.slice(0, warmUpDays + 1).map(day => day.rows[table] ?? 0);
  const growths = rows.map((count, day) => count - (rows[day - 1] ?? 0));
  return Math.max(...rows) + Math.max(...growths) + 10;
}
