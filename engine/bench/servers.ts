import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processorTimeS } from './processor-time.js';
import { makeDataDirectory, removeDirectory } from './temporary-directory.js';

export type Subject = 'engine' | 'lock-per-request' | 'null-handler';

export type Server = {
  url: string;
  dataDir: string;
  /** Peak resident memory so far in bytes; undefined without /proc. */
  memoryPeakBytes(): number | undefined;
  /** CPU time of its own process so far; NaN without /proc. */
  cpuMs(): number;
  /** CPU time of its embedded PostgreSQL so far; NaN without one, or without /proc. */
  postgresCpuMs(): number;
  stop(): Promise<void>;
};

/** Generated for the run and passed to the servers in the environment. */
export const credentials = {
  API_KEY: 'bench-api-key-0000000000',
  OPERATOR_TOKEN: 'bench-operator-token-0000',
};

// The options that `npm start` and the executable pass to Node; see docs/decisions/0005.
export const nodeOptions = ['--max-semi-space-size=64'];
const startTimeoutMs = 60_000;

const entries: Record<Subject, string[]> = {
  engine: [fileURLToPath(new URL('../dist/cli/main.js', import.meta.url)), 'start'],
  'lock-per-request': [fileURLToPath(new URL('lock-per-request.js', import.meta.url))],
  'null-handler': [fileURLToPath(new URL('null-handler.js', import.meta.url))],
};

/**
 * Starts a subject in its own process, with its own database, and waits until it answers.
 *
 * @param builtAt the entry file of another build.
 */
export async function startServer(
  subject: Subject,
  settings: Record<string, string> = {},
  builtAt = entries[subject][0] ?? '',
): Promise<Server> {
  const dataDir = makeDataDirectory();
  const port = await freePort();
  const { DATABASE_URL: _, REDIS_URL: __, ...env } = process.env;
  const child = spawn(process.execPath, [...nodeOptions, builtAt, ...entries[subject].slice(1)], {
    env: {
      ...env,
      ...credentials,
      NODE_ENV: 'development',
      DATA_DIR: dataDir,
      PORT: String(port),
      SANDBOX_PORT: '0',
      LOG_LEVEL: 'warn',
      SLOW_REQUEST_MS: '0',
      ...settings,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  await untilAnswering(url, subject, child);
  return {
    url,
    dataDir,
    memoryPeakBytes: () => memoryPeakBytes(child.pid),
    cpuMs: () => cpuMs(child.pid),
    postgresCpuMs: () => postgresCpuMs(dataDir),
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      removeDirectory(dataDir);
    },
  };
}

/** @throws if the process ends first or does not answer within a minute. */
export async function untilAnswering(url: string, subject: string, child: ChildProcess): Promise<void> {
  const giveUpAtMs = performance.now() + startTimeoutMs;
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(`${subject} ended with ${child.exitCode} before it answered`);
    try {
      await fetch(`${url}/api/health`);
      return;
    } catch (error) {
      if (performance.now() > giveUpAtMs)
        throw new Error(`${subject} did not answer at ${url}`, { cause: error });
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

function memoryPeakBytes(pid: number | undefined): number | undefined {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

// Ticks of 10 ms in user and in system mode, after the name of the program, which may contain anything.
function cpuMs(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}

function postgresCpuMs(dataDir: string): number {
  try {
    const [pid] = readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
    return processorTimeS(Number(pid)) * 1000;
  } catch {
    return Number.NaN;
  }
}
