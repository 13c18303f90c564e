import pg from 'pg';
import type { Config } from './config/config.js';
import { OperatingError } from './errors.js';
import { isThroughPooler } from './pooler.js';
import { addressOptions, createPool } from './postgres.js';

/**
 * Refuses to work through a pooler that the settings do not name: locks and notifications would be lost silently.
 *
 * @throws OperatingError POOLER_UNKNOWN
 */
export async function checkPooler(databaseUrl: string, config: Config): Promise<void> {
  if (isThroughPooler(databaseUrl, config) || !(await isPooler(databaseUrl, config))) return;
  throw new OperatingError(
    'POOLER_UNKNOWN',
    'DATABASE_URL leads to a connection pooler, not to PostgreSQL itself',
    'Set DATABASE_DIRECT_URL to the address of the PostgreSQL server behind it',
  );
}

// A pooler stands in for many server connections and reports made-up process ids to its clients. Other checks report an
// unreachable database.
async function isPooler(databaseUrl: string, config: Config): Promise<boolean> {
  const client = new pg.Client({ ...addressOptions(databaseUrl, config), query_timeout: config.DB_TIMEOUT });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    return 'processID' in client && client.processID !== rows[0]?.pid;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Names the timeouts that connections through a pooler lack: the engine cannot set them there. */
export async function findMissingTimeouts(databaseUrl: string, config: Config): Promise<string[]> {
  if (!isThroughPooler(databaseUrl, config)) return [];
  const pool = createPool(databaseUrl, { ...config, DB_POOL_MAX: 1, DB_POOL_MIN: 0 });
  try {
    const { rows } = await pool.query<{ name: string }>(
      `select name from pg_settings
        where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') and setting = '0'
        order by name`,
    );
    return rows.map(({ name }) => name);
  } finally {
    await pool.end();
  }
}
