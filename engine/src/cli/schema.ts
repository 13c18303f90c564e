import { seedCatalog } from '../catalog/seed.js';
import { createKeepPartitions } from '../ledger/attempt-partitions.js';
import { readRoutines } from '../ledger/routines.js';
import { checkDatabase } from '../platform/check-database.js';
import { type Config, readConfig } from '../platform/config/config.js';
import { messageOf, OperatingError } from '../platform/errors.js';
import { runOnce } from '../platform/jobs/run-jobs.js';
import { dropEverything, migrate } from '../platform/migrations.js';
import type { Pool } from '../platform/postgres.js';
import { withTool } from './tool.js';

const say = (message: string) => process.stdout.write(`${message}\n`);

export async function migrateDatabase(): Promise<void> {
  await withTool(migrateAndSay);
}

export async function seedDatabase(): Promise<void> {
  await withTool(async (pool, config) => {
    await migrateAndSay(pool, config);
    await seed(pool);
  });
}

export async function resetDatabase({ yes = false }: { yes?: boolean }): Promise<void> {
  const config = readConfig(process.env);
  if (!yes && (config.DATABASE_URL || config.NODE_ENV === 'production')) {
    throw new OperatingError(
      'RESET_NOT_CONFIRMED',
      'This deletes every product, sale and order of a database that may be in use',
      'Run "doorbuster reset --yes" if that is what you want',
    );
  }
  await withTool(async pool => {
    await dropEverything(pool);
    say('deleted all data');
    await migrateAndSay(pool, config);
    await seed(pool);
  });
}

/** Migrates, and creates today's partitions. @returns the names of what was applied. */
export async function bringUpToDate(pool: Pool, { ATTEMPTS_RETENTION_DAYS }: Config): Promise<string[]> {
  const applied = await migrate(pool, await readRoutines());
  const { failures } = await runOnce(createKeepPartitions(pool, ATTEMPTS_RETENTION_DAYS));
  // Attempts whose day has no partition go to the default one, and the scheduler tries again.
  for (const { item, error } of failures) say(`${item} is not up to date yet: ${messageOf(error)}`);
  return applied;
}

async function migrateAndSay(pool: Pool, config: Config): Promise<void> {
  await checkDatabase(pool);
  const applied = await bringUpToDate(pool, config);
  say(applied.length > 0 ? `applied ${applied.join(', ')}` : 'the schema is up to date');
}

async function seed(pool: Pool): Promise<void> {
  const count = await seedCatalog(pool);
  say(count > 0 ? `added ${count} demo products` : 'there are products already; added none');
}
