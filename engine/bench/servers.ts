import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { makeDataDirectory, removeDirectory } from './temporary-directory.js';

export type Subject = 'engine' | 'lock-per-request' | 'null-handler';

export type Server = {
  url: string;
  dataDir: string;
  /** Largest resident memory so far in bytes; undefined where /proc is not there to ask. */
  memoryPeakBytes(): number | undefined;
  /** Processor time that its own process has used so far; NaN where /proc is not there to ask. */
  cpuMs(): number;
  stop(): Promise<void>;
};

/** Made for the run; the servers get them from the environment. */
export const credentials = {
  API_KEY: 'bench-api-key-0000000000',
  OPERATOR_TOKEN: 'bench-operator-token-0000',
};

// What `npm start` and the bin give to Node; see docs/decisions/0005.
export const nodeOptions = ['--max-semi-space-size=32'];
const startTimeoutMs = 60_000;

const entries: Record<Subject, string[]> = {
  engine: [fileURLToPath(new URL('../dist/cli/main.js', import.meta.url)), 'start'],
  'lock-per-request': [fileURLToPath(new URL('lock-per-request.js', import.meta.url))],
  'null-handler': [fileURLToPath(new URL('null-handler.js', import.meta.url))],
};

/**
 * Starts a subject in a process of its own, with a database of its own, and waits until it answers.
 *
 * @param builtAt the program of another build.
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
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      removeDirectory(dataDir);
    },
  };
}

/** @throws when it ends first, or does not answer within a minute. */
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

// Ticks of 10 ms, in user and in system mode, behind the name of the program, which may hold anything.
function cpuMs(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}
