import { type Config, readConfig } from '../platform/config/config.js';
import { joinDatabase } from '../platform/database.js';
import { messageOf, OperatingError } from '../platform/errors.js';
import { createPool, type Pool, sqlStateOf, waitForDatabase } from '../platform/postgres.js';

// A migration or an audit of large tables may take long, but one that takes an hour is stuck.
const toolTimeoutMs = 3_600_000;

/** Gives a tool a database: that of an engine running on this DATA_DIR, or else its own for as long as it runs. */
export async function withTool(work: (pool: Pool, config: Config) => Promise<void>): Promise<void> {
  const config = readConfig(process.env);
  const onProgress = (message: string) => process.stderr.write(`${message}\n`);
  const database = await joinDatabase(config, { onProgress });
  const pool = createToolPool(database.url, config);
  try {
    await waitForDatabase(pool, config.DB_TIMEOUT);
    await explainRefusal(() => work(pool, config));
  } finally {
    await pool.end();
    await database.close();
  }
}

/** A database that is not the engine's refuses its statements. This says so in a sentence, without a stack. */
export async function explainRefusal(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const state = sqlStateOf(error);
    if (state === undefined) throw error;
    throw new OperatingError(
      'DATABASE_REFUSES',
      `PostgreSQL refused a statement: ${messageOf(error)} (SQLSTATE ${state})`,
      "Check that DATABASE_URL names this engine's database and a role that may use it",
      { cause: error },
    );
  }
}

export function createToolPool(databaseUrl: string, config: Config): Pool {
  return createPool(
    config.DATABASE_DIRECT_URL ?? databaseUrl,
    { ...config, DB_POOL_MAX: 2, DB_POOL_MIN: 0 },
    toolTimeoutMs,
  );
}
