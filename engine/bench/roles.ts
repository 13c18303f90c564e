import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { credentials, freePort, nodeOptions, untilAnswering } from './servers.js';
import { makeDataDirectory, removeDirectory } from './temporary-directory.js';

/** An engine whose roles run in processes of their own. */
export type Engine = {
  url: string;
  /** @returns what ends it, when it has finished what it has in hand. */
  startWorker(): () => Promise<void>;
  stop(): Promise<void>;
};

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/**
 * Migrates and starts an API and nothing else, on DATABASE_URL where that is set and on an embedded database otherwise.
 * Everything in the environment reaches the processes, AMQP_URL too.
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
  if (child.exitCode !== null) throw new Error(`a process had ended by itself, with ${child.exitCode}`);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
