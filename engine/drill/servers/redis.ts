import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { endsWithin } from '../../dist/platform/backoff.js';
import { until } from '../until.js';
import { installFromDebian } from './debian.js';
import { isDockerThere } from './docker.js';
import { findFreePort } from './free-port.js';

export type RedisServer = {
  url: string;
  /** An operator's own connection. */
  client: Redis;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** kill -9. What was not saved is gone. */
  kill(): Promise<void>;
  /** Starts again on the same address, on what was saved. */
  start(): Promise<void>;
  /** Ends it, and all that it has left behind. */
  remove(): Promise<void>;
};

/**
 * A Redis of the caller's own, on a free port and in a directory that goes away with it. It saves when it is told to. One
 * that was found running is never used, since it will be flushed, stopped and killed.
 *
 * @throws when there is none and none can be had, with the command that would help.
 */
export async function startRedis(): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'doorbuster-redis-'));
  const port = await findFreePort();
  const url = `redis://127.0.0.1:${port}`;
  const run = await findLauncher();
  let server: RunningServer | undefined;
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => {});

  async function start(): Promise<void> {
    server = run(port, directory);
    await until('Redis answers', () => endsWithin(client.ping(), 1000), 20_000);
  }
  async function kill(): Promise<void> {
    await server?.kill();
    server = undefined;
  }

  async function remove(): Promise<void> {
    client.disconnect();
    await kill();
    await rm(directory, { recursive: true, force: true });
  }

  await start().catch(async error => {
    await remove();
    throw error;
  });
  return { url, client, start, kill, remove, signal: name => server?.signal(name) };
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
    'a Redis that may be killed is needed: sudo RUNLEVEL=1 apt-get install -y redis-server, or start Docker',
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
  const name = `doorbuster-redis-${randomUUID()}`;
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
