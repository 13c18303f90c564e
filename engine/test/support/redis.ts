import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { until } from './condition.js';
import { installFromDebian } from './debian.js';
import { isDockerThere } from './docker.js';
import { findFreePort } from './free-port.js';

export type TestRedis = {
  url: string;
  /** An operator's own connection. */
  client: Redis;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** kill -9. What was not saved is gone. */
  kill(): Promise<void>;
  /** Starts again on the same address, on what was saved. */
  start(): Promise<void>;
};

/**
 * A Redis of the test's own, on a free port and in a directory that goes away with it. It saves when it is told to. One
 * that was found running is never used, since tests flush, stop and kill it.
 */
export async function startTestRedis(): Promise<TestRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'doorbuster-redis-'));
  const port = await findFreePort();
  const url = `redis://127.0.0.1:${port}`;
  const run = await findLauncher();
  let server: RunningServer | undefined;
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => {});

  async function start(): Promise<void> {
    server = run(port, directory);
    await until('Redis answers', async () => (await client.ping()) === 'PONG', 20_000);
  }
  async function kill(): Promise<void> {
    await server?.kill();
    server = undefined;
  }

  onTestFinished(async () => {
    client.disconnect();
    await kill();
    await rm(directory, { recursive: true, force: true });
  });
  await start();
  return { url, client, start, kill, signal: name => server?.signal(name) };
}

type RunningServer = { signal(signal: NodeJS.Signals): void; kill(): Promise<void> };
type Launcher = (port: number, directory: string) => RunningServer;

const image = 'redis:7-alpine';
const settings = ['--save', '', '--appendonly', 'no'];

/** The program, else a container, else the program from Debian's packages; never none. */
async function findLauncher(): Promise<Launcher> {
  if (isThere()) return launchProgram;
  if (isDockerThere()) return launchContainer;
  await installFromDebian('redis-server');
  if (isThere()) return launchProgram;
  throw new Error(
    'these tests need a Redis of their own: sudo RUNLEVEL=1 apt-get install -y redis-server, or start Docker',
  );
}

const launchProgram: Launcher = (port, directory) => {
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, ...settings],
    {
      stdio: 'ignore',
    },
  );
  return {
    signal: name => child.kill(name),
    kill: () => endOf(child, () => child.kill('SIGKILL')),
  };
};

const launchContainer: Launcher = (port, directory) => {
  const name = `doorbuster-test-${randomUUID()}`;
  const options = [
    '--rm',
    '--name',
    name,
    '--publish',
    `127.0.0.1:${port}:6379`,
    '--volume',
    `${directory}:/data`,
  ];
  const child = spawn('docker', ['run', ...options, image, 'redis-server', ...settings], { stdio: 'ignore' });
  const signal = (signalName: string) => spawnSync('docker', ['kill', '--signal', signalName, name]);
  return { signal, kill: () => endOf(child, () => signal('SIGKILL')) };
};

function isThere(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

async function endOf(child: ChildProcess, end: () => unknown): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  end();
  await exited;
}
