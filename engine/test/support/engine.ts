import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { makeDataDirectory } from '../../drill/servers/data-directory.js';
import { endProcess } from '../../drill/servers/end-process.js';
import type { Role } from '../../src/app/roles.js';
import { apiKey, operatorToken, secrets } from './config.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export type EngineProcess = {
  /** Empty if it does not listen. */
  url: string;
  pid: number;
  /** Sends a signal, and waits for the process to end. @returns the exit code, null for a death by signal */
  kill(signal: NodeJS.Signals): Promise<number | null>;
  /** Its exit code, once it has ended. */
  ended: Promise<number | null>;
  output: () => string;
};

/** A DATA_DIR that is deleted with the test. */
export async function createDataDir(): Promise<string> {
  const dataDir = makeDataDirectory('engine');
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

/** `doorbuster start` as users run it: the built engine in its own process, with the embedded PostgreSQL. */
export function startEngine(dataDir: string, env: Record<string, string> = {}): Promise<EngineProcess> {
  return start(spawnEngine(['start'], dataDir, env), /shop API\s+(http:\/\/[^/\s]+)/);
}

/** One role as users run it, on a test's database; a test may kill it at any time. */
export async function startRoleProcess(
  role: Role | 'api' | 'sandbox',
  databaseUrl: string,
  env: Record<string, string> = {},
): Promise<EngineProcess> {
  return startRoleCommand([role], databaseUrl, env);
}

/** The API in several processes, on a test's database. */
export function startApiProcesses(
  count: number,
  databaseUrl: string,
  env: Record<string, string> = {},
): Promise<EngineProcess> {
  return startRoleCommand(['api', '--processes', String(count)], databaseUrl, env);
}

/** The API in several processes, on the embedded PostgreSQL of a migrated DATA_DIR. */
export function startApiOnDataDir(count: number, dataDir: string): Promise<EngineProcess> {
  const child = spawnEngine(['api', '--processes', String(count)], dataDir);
  return start(child, /shop API\s+(http:\/\/[^/\s]+)/);
}

async function startRoleCommand(
  command: string[],
  databaseUrl: string,
  env: Record<string, string>,
): Promise<EngineProcess> {
  const known = { API_KEY: apiKey, OPERATOR_TOKEN: operatorToken, SECRET_KEY: secrets.secretKey };
  const child = spawnEngine(command, await createDataDir(), { DATABASE_URL: databaseUrl, ...known, ...env });
  return start(child, /(?:address|shop API)\s+(http:\/\/[^/\s]+)|is running: (?!api)\w+/);
}

/** @param running what it prints once it runs; the first group is its address, if it has one. */
async function start(child: ChildProcess, running: RegExp): Promise<EngineProcess> {
  onTestFinished(() => endProcess(child, 'SIGTERM'));
  let output = '';
  const ended = once(child, 'exit').then(() => child.exitCode);
  const url = await new Promise<string>((resolve, reject) => {
    const onText = (text: Buffer) => {
      output += text;
      const match = running.exec(output);
      if (match) resolve(match[1] ?? '');
    };
    child.stdout?.on('data', onText);
    child.stderr?.on('data', onText);
    child.on('exit', code => reject(new Error(`the engine ended with ${code}:\n${output}`)));
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('a process that prints has an id');
  return {
    url,
    pid,
    ended,
    async kill(signal) {
      await endProcess(child, signal);
      return child.exitCode;
    },
    output: () => output,
  };
}

/** Runs a command of the CLI to its end. */
export async function runTool(
  args: string[],
  dataDir: string,
  env: Record<string, string> = {},
): Promise<{ code: number | null; output: string }> {
  const child = spawnEngine(args, dataDir, env);
  let output = '';
  child.stdout?.on('data', text => {
    output += text;
  });
  child.stderr?.on('data', text => {
    output += text;
  });
  await once(child, 'close');
  return { code: child.exitCode, output };
}

export async function readSecret(dataDir: string, name: 'api-key' | 'operator-token'): Promise<string> {
  return (await readFile(join(dataDir, name), 'utf8')).trim();
}

function spawnEngine(args: string[], dataDir: string, extra: Record<string, string> = {}): ChildProcess {
  const { DATABASE_URL: _, ...env } = process.env;
  return spawn(process.execPath, [main, ...args], {
    env: {
      ...env,
      NODE_ENV: 'development',
      DATA_DIR: dataDir,
      PORT: '0',
      SANDBOX_PORT: '0',
      // The pages have their own tests.
      WEB_ENABLED: 'false',
      LOG_LEVEL: 'warn',
      // As in config.ts: the machine is busy with other tests.
      RATE_LIMIT_IP_MAX: '0',
      RATE_LIMIT_USER_MAX: '0',
      WARM_UP_MS: '0',
      SHED_LAG_MS: '0',
      SHED_WAIT_MS: '0',
      ...extra,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
