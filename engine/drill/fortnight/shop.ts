import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { createPool, type Pool } from '../../dist/platform/postgres.js';
import { type Answer, type Call, call } from '../call.js';
import { credentials } from '../cluster.js';
import { spawnEngine } from '../engine-process.js';
import { makeDataDirectory } from '../servers/data-directory.js';
import { findFaketime } from '../servers/faketime.js';
import { createMovedClock, type MovedClock } from './moved-clock.js';

/** `doorbuster start` as users run it, with the embedded PostgreSQL, at a simulated time of day. */
export type Shop = {
  clock: MovedClock;
  pool: Pool;
  call(method: string, path: string, asked?: Call): Promise<Answer>;
  /** The environment with which the CLI's tools find the shop, on the same clock. */
  env: NodeJS.ProcessEnv;
  directory: string;
  metricsUrl: string;
  enginePid: number;
  databasePid: number;
  /** The engine's warnings since the last call, with their counts. */
  takeWarnings(): Record<string, number>;
  stop(): Promise<void>;
};

// The drill kills no process here, so a slow answer comes from a busy machine.
const answerTimeoutMs = 30_000;
// How long a session lasts: less than a day, so that some sessions end every day.
const sessionHours = { shopper: 20, operator: 8 };

/**
 * @param keptDays how long attempts, the operators' audit trail and webhook events are kept.
 * @throws when libfaketime is not installed.
 */
export async function openShop(startsAt: Date, keptDays: number): Promise<Shop> {
  const library = findFaketime();
  const directory = makeDataDirectory('fortnight');
  const clock = createMovedClock(library, directory, startsAt);
  const dataDir = join(directory, 'data');
  const env = environment(clock, dataDir, keptDays);
  const engine = spawnEngine(['start'], env);
  const remove = async () => {
    await engine.kill('SIGTERM');
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await engine.says(/Ctrl-C/);
    const databaseUrl = readFileSync(join(dataDir, 'database-url'), 'utf8').trim();
    const [url = '', metricsUrl = ''] = ['shop API', 'metrics'].map(
      name => new RegExp(`${name}\\s+(http://[^/\\s]+)`).exec(engine.output())?.[1],
    );
    const limits = { DB_POOL_MAX: 2, DB_POOL_MIN: 0, DB_TIMEOUT: 20_000, DB_SSL: 'disable' } as const;
    const pool = createPool(databaseUrl, limits);
    return {
      clock,
      pool,
      env,
      metricsUrl,
      directory: dataDir,
      enginePid: engine.pid,
      databasePid: readPostmasterPid(dataDir),
      takeWarnings: createWarnings(engine.output),
      call: (method, path, asked) => call(url, method, path, { timeoutMs: answerTimeoutMs, ...asked }),
      async stop() {
        await pool.end();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function environment(clock: MovedClock, dataDir: string, keptDays: number): NodeJS.ProcessEnv {
  const { DATABASE_URL: _, REDIS_URL: __, AMQP_URL: ___, ...inherited } = process.env;
  return {
    ...inherited,
    ...credentials,
    ...clock.env,
    NODE_ENV: 'development',
    LOG_LEVEL: 'warn',
    HOST: '127.0.0.1',
    PORT: '0',
    SANDBOX_PORT: '0',
    ENABLE_METRICS: 'true',
    METRICS_PORT: '0',
    // The pages keep no state that depends on time.
    WEB_ENABLED: 'false',
    DATA_DIR: dataDir,
    WEBHOOK_ALLOW_NETWORKS: '127.0.0.0/8',
    ATTEMPTS_RETENTION_DAYS: String(keptDays),
    OPERATOR_ACTIONS_RETENTION_DAYS: String(keptDays),
    WEBHOOK_RETENTION_DAYS: String(keptDays),
    SESSION_TTL_SECONDS: String(sessionHours.shopper * 3600),
    OPERATOR_SESSION_TTL_SECONDS: String(sessionHours.operator * 3600),
    // The limits count real minutes. A fortnight's requests arrive within minutes from one address.
    RATE_LIMIT_IP_MAX: '0',
    RATE_LIMIT_USER_MAX: '0',
    OPERATOR_TRIES_MAX: '0',
    SHED_LAG_MS: '0',
    SHED_WAIT_MS: '0',
  };
}

function readPostmasterPid(dataDir: string): number {
  return Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
}

const lineSchema = z.object({ time: z.iso.datetime(), msg: z.string(), reason: z.string().optional() });

function createWarnings(output: () => string): Shop['takeWarnings'] {
  let seenUntil = '';
  return () => {
    const counts: Record<string, number> = {};
    for (const text of output()
      .split('\n')
      .filter(line => line.startsWith('{') && line.endsWith('}'))) {
      const { time, msg, reason } = lineSchema.parse(JSON.parse(text));
      if (time <= seenUntil) continue;
      seenUntil = time;
      const what = reason === undefined ? msg : `${msg}: ${reason}`;
      counts[what] = (counts[what] ?? 0) + 1;
    }
    return counts;
  };
}
