import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { endsWithin } from '../../dist/platform/backoff.js';
import { until } from '../until.js';
import { endProcess } from './end-process.js';
import { findFreePort } from './free-port.js';
import { findProgram } from './programs.js';

export type RedisServer = {
  url: string;
  /** A separate connection for operations. */
  client: Redis;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** kill -9. Unsaved data is lost. */
  kill(): Promise<void>;
  /** Restarts at the same address with the saved data. */
  start(): Promise<void>;
  /** Stops it and deletes its data. */
  remove(): Promise<void>;
};

const settings = ['--save', '', '--appendonly', 'no'];

/**
 * A private Redis on a free port in a temporary directory. It saves only when told to. A Redis that is already running
 * is never used, because the drill flushes, stops and kills it.
 *
 * @throws if Redis is not installed.
 */
export async function startRedis(): Promise<RedisServer> {
  const program = findProgram('redis-server');
  const directory = await mkdtemp(join(tmpdir(), 'doorbuster-redis-'));
  const port = await findFreePort();
  const address = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory];
  const url = `redis://127.0.0.1:${port}`;
  let server: ChildProcess | undefined;
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => {});

  async function start(): Promise<void> {
    server = spawn(program, [...address, ...settings], { stdio: 'ignore' });
    await until('Redis answers', () => endsWithin(client.ping(), 1000), 20_000);
  }
  async function kill(): Promise<void> {
    if (server) await endProcess(server);
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
  return { url, client, start, kill, remove, signal: name => server?.kill(name) };
}
