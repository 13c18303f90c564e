import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { codeOf } from '../errors.js';
import { unlessMissing } from './postgres-errors.js';
import { run } from './run.js';

// If the start time of a process is unavailable, a live pid has to be trusted.
const unknownStart = 'unknown';

/**
 * When a live process started, in a form that differs for a later process with the same pid; undefined if there is no
 * such process. A zombie counts as ended: it holds nothing, and a container without an init may never reap it.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const status = await readProc(`${pid}/stat`);
    if (status !== undefined) return startFromProc(status);
  }
  // Not Linux, or /proc hides other users' processes (hidepid).
  if (!canBeSignalled(pid)) return undefined;
  if (process.platform === 'win32' || process.platform === 'linux') return unknownStart;
  const { stdout } = await run('ps', ['-o', 'lstart=', '-p', `${pid}`], psOptions);
  return stdout.trim() || undefined;
}

export async function isStillRunning(pid: number, startedAt: string): Promise<boolean> {
  const current = await processStart(pid);
  if (current === undefined) return false;
  return current === startedAt || current === unknownStart || startedAt === unknownStart;
}

/** Names the pid namespace: two containers may share a data directory but not their pids. */
export async function pidSpace(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return `${hostname()} ${namespace}`.trim();
}

/** Whether the process is a PostgreSQL server (not one of its children) that serves this cluster. */
export async function isPostgresOf(pid: number, clusterDir: string): Promise<boolean> {
  if ((await processStart(pid)) === undefined) return false;
  if (process.platform === 'win32') return isPostgresOnWindows(pid);
  if (process.platform !== 'linux') {
    const { stdout } = await run('ps', ['-ww', '-o', 'command=', '-p', `${pid}`], psOptions);
    return stdout.includes(`postgres -D ${clusterDir} `);
  }
  const [program = '', ...args] = ((await readProc(`${pid}/cmdline`)) ?? '').split('\0');
  if (basename(program) !== 'postgres') return false;
  // The server's working directory is its cluster, so this is right even after the directory was moved.
  const workingDir = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  return workingDir === clusterDir || args[args.indexOf('-D') + 1] === clusterDir;
}

const psOptions = { user: undefined, cwd: '/', timeoutMs: 10_000 };

/** Not tested. Here a pid does not identify the cluster, but it came from postmaster.pid, and we hold the lock. */
async function isPostgresOnWindows(pid: number): Promise<boolean> {
  const filter = ['/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH'];
  const { stdout } = await run('tasklist', filter, { ...psOptions, cwd: process.cwd() });
  return stdout.includes('postgres.exe');
}

async function startFromProc(status: string): Promise<string | undefined> {
  // The command name in parentheses may contain spaces and parentheses, so fields are counted after the last one.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  const [state = ''] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  // Field 22 of proc(5): clock ticks since boot, hence the boot's own id beside it.
  const bootId = await unlessMissing(readFile('/proc/sys/kernel/random/boot_id', 'utf8'));
  return `${bootId?.trim() ?? ''}:${fields[19] ?? ''}`;
}

async function readProc(path: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${path}`, 'utf8');
  } catch (error) {
    // ESRCH: the process ended between open and read.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

function canBeSignalled(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
