import { readRoutines } from '../dist/ledger/routines.js';
import { readConfig } from '../dist/platform/config/config.js';
import { openDatabase } from '../dist/platform/database.js';
import { migrate } from '../dist/platform/migrations.js';
import { createPool, type Pool } from '../dist/platform/postgres.js';
import { makeDataDirectory, removeDirectory } from './temporary-directory.js';

/** An embedded database with the engine's schema, for this process alone. */
export type OwnDatabase = { pool: Pool; close(): Promise<void> };

export async function openOwnDatabase(): Promise<OwnDatabase> {
  const dataDir = makeDataDirectory();
  const config = { ...readConfig({ DATA_DIR: dataDir }), DB_TIMEOUT: 600_000 };
  const database = await openDatabase(config, { onProgress: () => {} });
  const pool = createPool(database.url, config);
  await migrate(pool, await readRoutines());
  return {
    pool,
    async close() {
      await pool.end();
      await database.close();
      removeDirectory(dataDir);
    },
  };
}
