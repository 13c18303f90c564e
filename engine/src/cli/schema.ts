import { seedCatalog } from '../catalog/seed.js';
import { keepAttemptPartitions } from '../ledger/attempt-partitions.js';
import { readRoutines } from '../ledger/routines.js';
import { type Config, readConfig } from '../platform/config/config.js';
import { OperatingError } from '../platform/errors.js';
import { dropEverything, migrate } from '../platform/migrations.js';
import type { Pool } from '../platform/postgres.js';
import { withTool } from './tool.js';

const say = (message: string) => process.stdout.write(`${message}\n`);

export async function migrateDatabase(): Promise<void> {
  await withTool(bringUpToDate);
}

export async function seedDatabase(): Promise<void> {
  await withTool(async (pool, config) => {
    await bringUpToDate(pool, config);
    await seed(pool);
  });
}

export async function resetDatabase({ yes = false }: { yes?: boolean }): Promise<void> {
  const config = readConfig(process.env);
  if (!yes && (config.DATABASE_URL || config.NODE_ENV === 'production')) {
    throw new OperatingError(
      'RESET_NOT_CONFIRMED',
      'This deletes every product, sale and order of a database that may be in use',
      'Say "doorbuster reset --yes" if that is what you want',
    );
  }
  await withTool(async pool => {
    await dropEverything(pool);
    say('deleted all data');
    await bringUpToDate(pool, config);
    await seed(pool);
  });
}

async function bringUpToDate(pool: Pool, { ATTEMPTS_RETENTION_DAYS }: Config): Promise<void> {
  const applied = await migrate(pool, await readRoutines());
  await keepAttemptPartitions(pool, ATTEMPTS_RETENTION_DAYS);
  say(applied.length > 0 ? `applied ${applied.join(', ')}` : 'the schema is up to date');
}

async function seed(pool: Pool): Promise<void> {
  const count = await seedCatalog(pool);
  say(count > 0 ? `added ${count} demo products` : 'there are products already; added none');
}
