import { rm } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import { makeDataDirectory } from '../../drill/servers/data-directory.js';
import { startPostgres } from '../../drill/servers/postgres.js';
import { readRoutines } from '../../src/ledger/routines.js';
import { migrate } from '../../src/platform/migrations.js';
import { createPool, type Pool } from '../../src/platform/postgres.js';
import { testConfig } from './config.js';

/** A migrated PostgreSQL for the tests, which they may stop and restart at the same address. */
export type StoppablePostgres = {
  url: string;
  pool: Pool;
  /** Stops it until it is started or the test has ended. */
  stop(): Promise<void>;
  /** Does nothing while it runs. */
  start(): Promise<void>;
  remove(): Promise<void>;
};

export async function startStoppablePostgres(): Promise<StoppablePostgres> {
  const dataDir = makeDataDirectory('stoppable');
  const server = await startPostgres(dataDir);
  const { url } = server;
  const pool = createPool(url, testConfig());
  await migrate(pool, await readRoutines());
  let isStopped = false;

  async function start(): Promise<void> {
    if (!isStopped) return;
    await server.start();
    isStopped = false;
  }

  return {
    url,
    pool,
    start,
    async stop() {
      onTestFinished(start);
      await server.stop();
      isStopped = true;
    },
    async remove() {
      await pool.end();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
