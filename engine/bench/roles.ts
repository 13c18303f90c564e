import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { credentials, freePort, nodeOptions, untilAnswering } from './servers.js';
import { makeDataDirectory, removeDirectory } from './temporary-directory.js';

/** An engine whose roles run in separate processes. */
export type Engine = {
  url: string;
  /** @returns a function that stops the worker after it has finished its current work. */
  startWorker(): () => Promise<void>;
  stop(): Promise<void>;
};

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/**
 * Migrates and starts only an API, on DATABASE_URL if it is set and otherwise on an embedded database. The processes
 * inherit the environment, including AMQP_URL.
 */
export async function startApi(): Promise<Engine> {
  const dataDir = makeDataDirectory();
  const port = await freePort();
  const env = {
    ...process.env,
    ...credentials,
    NODE_ENV: 'development',
    DATA_DIR: dataDir,
    PORT: String(port),
    LOG_LEVEL: 'warn',
  };
  const run = (role: string) =>
    spawn(process.execPath, [...nodeOptions, cli, role], { env, stdio: ['ignore', 'ignore', 'inherit'] });

  const [code] = await once(run('migrate'), 'exit');
  if (code !== 0) throw new Error(`the database could not be migrated: exit code ${code}`);
  const api = run('api');
  const url = `http://127.0.0.1:${port}`;
  await untilAnswering(url, 'api', api);
  return {
    url,
    startWorker() {
      const worker = run('worker');
      return () => end(worker);
    },
    async stop() {
      await end(api);
      removeDirectory(dataDir);
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null)
    throw new Error(`a process had already ended by itself with ${child.exitCode}`);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
