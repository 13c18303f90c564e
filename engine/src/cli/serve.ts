import pino, { type Logger } from 'pino';
import { type Api, startApi } from '../app.js';
import { seedCatalog } from '../catalog/seed.js';
import { keepAttemptPartitions } from '../ledger/attempt-partitions.js';
import { readRoutines } from '../ledger/routines.js';
import { type Config, readConfig } from '../platform/config.js';
import { type Database, openDatabase } from '../platform/database.js';
import { OperatingError } from '../platform/errors.js';
import { checkSchema, migrate } from '../platform/migrations.js';
import { checkDurability, type Pool, waitForDatabase } from '../platform/postgres.js';
import { readSecrets, secretPath } from '../platform/secrets.js';
import { onShutdown } from '../platform/shutdown.js';
import { createToolPool } from './tool.js';

const say = (message: string) => process.stdout.write(`${message}\n`);

/** Everything on this machine: database, schema, demo catalogue, API. */
export async function start(): Promise<void> {
  await serve(async (pool, config) => {
    const applied = await migrate(pool, await readRoutines());
    await keepAttemptPartitions(pool, config.ATTEMPTS_RETENTION_DAYS);
    if (applied.length > 0) say(`Applied ${applied.join(', ')}.`);
    if ((await seedCatalog(pool)) > 0) say('Added a demo catalogue.');
  });
}

/** The API alone, for deployments that migrate in a step of their own. */
export async function api(): Promise<void> {
  await serve(async pool => checkSchema(pool, await readRoutines()));
}

async function serve(prepare: (pool: Pool, config: Config) => Promise<void>): Promise<void> {
  const config = readConfig(process.env);
  const logger = pino({ level: config.LOG_LEVEL }, pino.destination(2));
  const secrets = await readSecrets(config);
  const database = await openDatabase(config, { onProgress: say });
  let running: Api | undefined;
  onShutdown(config.DRAIN_TIMEOUT_MS, logger, async () => {
    await running?.drain();
    await database.close();
  });
  try {
    await prepareDatabase(database, config, logger, prepare);
    running = await startApi({ config, secrets, databaseUrl: database.url, logger });
  } catch (error) {
    await database.close();
    throw explainListenError(error, config);
  }
  sayWhere(running, config);
  void database.lost.then(reason => {
    logger.fatal(reason);
    process.exit(1);
  });
}

async function prepareDatabase(
  database: Database,
  config: Config,
  logger: Logger,
  prepare: (pool: Pool, config: Config) => Promise<void>,
): Promise<void> {
  const pool = createToolPool(database.url, config);
  try {
    await waitForDatabase(pool, config.DB_TIMEOUT);
    await prepare(pool, config);
    const unsafe = await checkDurability(pool);
    if (unsafe.length > 0) {
      logger.warn(
        { settings: unsafe },
        'PostgreSQL may lose acknowledged orders in a crash: turn these settings on',
      );
    }
  } finally {
    await pool.end();
  }
}

function sayWhere({ url }: Api, config: Config): void {
  const whereIs = (setting: string | undefined, path: string) =>
    setting ? 'as set by the environment' : path;
  say('');
  say('Doorbuster is running.');
  say(`  shop API         ${url}/api/products`);
  say(`  documentation    ${url}/docs`);
  say(`  operator secret  ${whereIs(config.OPERATOR_TOKEN, secretPath(config.DATA_DIR, 'operator-token'))}`);
  say(`  API key          ${whereIs(config.API_KEY, secretPath(config.DATA_DIR, 'api-key'))}`);
  say(`  data             ${config.DATABASE_URL ? 'in DATABASE_URL' : config.DATA_DIR}`);
  say('Ctrl-C stops it; accepted orders are safe in any case.');
}

function explainListenError(error: unknown, { HOST, PORT }: Config): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  const reasons: Record<string, string> = {
    EADDRINUSE: 'is taken by another process',
    EACCES: 'may not be used by this user',
    EADDRNOTAVAIL: 'is no address of this machine',
  };
  const reason = reasons[String(error.code)];
  if (!reason) return error;
  return new OperatingError(
    'CANNOT_LISTEN',
    `${HOST}:${PORT} ${reason}`,
    'Set HOST and PORT to a free address',
    { cause: error },
  );
}
