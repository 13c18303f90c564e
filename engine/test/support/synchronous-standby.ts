import { appendFile, cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDataDirectory } from '../../drill/servers/data-directory.js';
import { startPostgres } from '../../drill/servers/postgres.js';
import { readRoutines } from '../../src/ledger/routines.js';
import { migrate } from '../../src/platform/migrations.js';
import { createPool, type Pool } from '../../src/platform/postgres.js';
import { until } from './condition.js';
import { testConfig } from './config.js';

/** A migrated PostgreSQL whose commits wait until its standby has them on disk. */
export type ReplicatedPostgres = {
  url: string;
  /** Reads and changes the primary without waiting for the standby. */
  pool: Pool;
  stopStandby(): Promise<void>;
  /** Starts the standby and waits until commits wait for it again. Does nothing while it runs. */
  startStandby(): Promise<void>;
  /**
   * Crashes and restarts the primary: everything on its disk becomes visible, whether the standby has it or not.
   */
  restartPrimary(): Promise<void>;
  /** Whether the standby has an order; the standby may be stopped afterwards. */
  standbyHas(orderId: string): Promise<boolean>;
  remove(): Promise<void>;
};

export async function startReplicatedPostgres(): Promise<ReplicatedPostgres> {
  const [primaryDir, standbyDir] = [makeDataDirectory('primary'), makeDataDirectory('standby')];
  const primary = await startPostgres(primaryDir);
  // The test's own commits do not wait; the engine has other connections.
  const pool = createPool(`${primary.url}?options=-c%20synchronous_commit%3Dlocal`, testConfig());
  await migrate(pool, await readRoutines());
  await primary.stop();
  await copyAsStandby(primaryDir, standbyDir, primary.url);
  await primary.start();
  const standby = await startPostgres(standbyDir);
  const standbyPool = createPool(standby.url, testConfig());
  let isStandbyUp = true;

  async function untilSynchronous(): Promise<void> {
    await until('the standby follows', async () => {
      const { rows } = await pool.query<{ state: string }>(
        'select sync_state as state from pg_stat_replication',
      );
      return rows[0]?.state === 'sync';
    });
  }

  await untilSynchronous();
  return {
    url: primary.url,
    pool,
    async stopStandby() {
      isStandbyUp = false;
      await standby.crash();
    },
    async startStandby() {
      if (isStandbyUp) return;
      await standby.start();
      isStandbyUp = true;
      await untilSynchronous();
    },
    async restartPrimary() {
      await primary.crash();
      await primary.start();
    },
    async standbyHas(orderId) {
      const { rowCount } = await standbyPool.query('select from orders where order_id = $1', [orderId]);
      return rowCount === 1;
    },
    async remove() {
      await Promise.all([pool.end(), standbyPool.end()]);
      await Promise.all([primary.stop(), standby.stop()]);
      for (const directory of [primaryDir, standbyDir]) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The embedded package has no pg_basebackup; a stopped server needs none. */
async function copyAsStandby(from: string, to: string, primaryUrl: string): Promise<void> {
  await cp(from, to, { recursive: true });
  const configFile = 'postgres/postgresql.auto.conf';
  await appendFile(join(from, configFile), `synchronous_standby_names = '*'\n`);
  await appendFile(
    join(to, configFile),
    `primary_conninfo = '${primaryUrl}'\nwal_retrieve_retry_interval = '50ms'\n`,
  );
  await writeFile(join(to, 'postgres', 'standby.signal'), '');
}
