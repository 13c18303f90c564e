import { rmSync } from 'node:fs';
import { createPool, type Pool } from '../dist/platform/postgres.js';
import { type EngineProcess, runTool, spawnEngine } from './engine-process.js';
import { makeDataDirectory } from './servers/data-directory.js';
import { type FaultProxy, openFaultProxy } from './servers/fault-proxy.js';
import { findFreePort } from './servers/free-port.js';
import { startReplicatedPostgres } from './servers/patroni.js';
import { type PostgresServer, startPostgres } from './servers/postgres.js';
import { type RabbitmqServer, startRabbitmq } from './servers/rabbitmq.js';
import { type RedisServer, startRedis } from './servers/redis.js';

/** An installation as docs/processes.md describes it, all on this machine. A drill may kill any part of it. */
export type Cluster = {
  url: string;
  /** A temporary directory, deleted with the cluster. A drill may write files there. */
  directory: string;
  /** The environment with which the CLI's tools find the cluster. */
  env: NodeJS.ProcessEnv;
  postgres: PostgresServer;
  redis: RedisServer;
  rabbitmq: RabbitmqServer;
  /** Between the engine and RabbitMQ. */
  proxy: FaultProxy;
  pool: Pool;
  api: EngineProcess;
  /** Kills one of the workers. @returns a function that starts a replacement, as a supervisor would. */
  killWorker(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
};

export const apiProcesses = 2;
const workers = 2;

/** One server, or two under Patroni that change places on `postgres.crash`. */
export type DatabaseKind = 'single' | 'replicated';

/** Generated for the run. They are only used on this machine's network. */
export const credentials = {
  API_KEY: 'drill-api-key-0000000000',
  OPERATOR_TOKEN: 'drill-operator-token-0000',
  SECRET_KEY: 'drill-secret-key-00000000',
};

/** @param say receives progress. @throws if a server program is missing, with the command that installs it. */
export async function startCluster(
  say: (message: string) => void,
  kind: DatabaseKind = 'single',
): Promise<Cluster> {
  const closing: (() => unknown)[] = [];
  const stop = async () => {
    for (let close = closing.pop(); close; close = closing.pop()) await close();
  };
  try {
    return await build(say, kind, closing, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(
  say: (message: string) => void,
  kind: DatabaseKind,
  closing: (() => unknown)[],
  stop: () => Promise<void>,
): Promise<Cluster> {
  const dataDir = makeDataDirectory('drill');
  closing.push(() => rmSync(dataDir, { recursive: true, force: true }));
  say('starting PostgreSQL, Redis and RabbitMQ');
  const postgres = await (kind === 'single' ? startPostgres(dataDir) : startReplicatedPostgres());
  closing.push(postgres.stop);
  const redis = await startRedis();
  closing.push(redis.remove);
  const rabbitmq = await startRabbitmq();
  closing.push(rabbitmq.remove);
  const proxy = await openFaultProxy(rabbitmq.url);
  closing.push(proxy.close);

  const port = await findFreePort();
  const env = environment({
    dataDir,
    port,
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    amqpUrl: proxy.url,
  });
  const migrated = await runTool(['migrate'], env);
  if (migrated.exitCode !== 0) throw new Error(`the database could not be migrated:\n${migrated.stderr}`);

  say(`starting ${apiProcesses} API processes, ${workers} workers, scheduler and compensator`);
  const start = (...args: string[]) => {
    const started = spawnEngine(args, env);
    closing.push(() => started.kill('SIGTERM'));
    return started;
  };
  const running = /is running/;
  const api = start('api', '--processes', String(apiProcesses));
  const crew = Array.from({ length: workers }, () => start('worker'));
  const others = [start('scheduler'), start('compensator')];
  for (const started of [api, ...crew, ...others]) await started.says(running);

  const pool = createPool(postgres.url, {
    DB_POOL_MAX: 2,
    DB_POOL_MIN: 0,
    DB_TIMEOUT: 5000,
    DB_SSL: 'disable',
  });
  closing.push(() => pool.end());
  return {
    url: `http://127.0.0.1:${port}`,
    directory: dataDir,
    env,
    postgres,
    redis,
    rabbitmq,
    proxy,
    pool,
    api,
    stop,
    async killWorker() {
      await crew.shift()?.kill('SIGKILL');
      return async () => {
        const next = start('worker');
        crew.push(next);
        await next.says(running);
      };
    },
  };
}

type Addresses = { dataDir: string; port: number; databaseUrl: string; redisUrl: string; amqpUrl: string };

function environment({ dataDir, port, databaseUrl, redisUrl, amqpUrl }: Addresses): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...credentials,
    NODE_ENV: 'development',
    LOG_LEVEL: 'warn',
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    AMQP_URL: amqpUrl,
    // Six processes and the drill share the 100 connections of the embedded server.
    DB_POOL_MAX: '10',
    DB_POOL_MIN: '0',
  };
}
