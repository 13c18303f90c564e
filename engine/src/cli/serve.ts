import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import { type AppOptions, startApp } from '../app/app.js';
import { sandboxSecrets } from '../app/payments.js';
import { type Role, roles } from '../app/roles.js';
import { seedCatalog } from '../catalog/seed.js';
import { readRoutines } from '../ledger/routines.js';
import { type Sandbox, startSandbox } from '../payments/sandbox/start.js';
import { type Config, readConfig } from '../platform/config.js';
import { type Database, joinDatabase, openDatabase } from '../platform/database.js';
import { OperatingError } from '../platform/errors.js';
import { checkSchema, migrate } from '../platform/migrations.js';
import { checkDurability, type Pool, waitForDatabase } from '../platform/postgres.js';
import { readSecrets, type Secrets, secretPath } from '../platform/secrets.js';
import { onShutdown } from '../platform/shutdown.js';
import { createToolPool } from './tool.js';

const say = (message: string) => process.stdout.write(`${message}\n`);

/** Everything on this machine: database, schema, demo catalogue, all roles, and a payment provider to play with. */
export async function start(): Promise<void> {
  await serve(['api', ...roles], openDatabase, async pool => {
    const applied = await migrate(pool, await readRoutines());
    if (applied.length > 0) say(`Applied ${applied.join(', ')}.`);
    if ((await seedCatalog(pool)) > 0) say('Added a demo catalogue.');
  });
}

/** One role alone, for deployments that migrate in a step of their own; beside an engine on this DATA_DIR it joins it. */
export async function serveRole(role: Role | 'api'): Promise<void> {
  await serve([role], joinDatabase, async pool => checkSchema(pool, await readRoutines()));
}

async function serve(
  chosen: AppOptions['roles'],
  open: typeof openDatabase,
  prepare: (pool: Pool) => Promise<void>,
): Promise<void> {
  const config = readConfig(process.env);
  const logger = createLogger(config);
  const secrets = await readSecrets(config);
  const database = await open(config, { onProgress: say });
  const closing: (() => Promise<void>)[] = [database.close];
  const close = async () => {
    for (const step of closing.reverse()) await step();
  };
  onShutdown(config.DRAIN_TIMEOUT_MS, logger, close);
  try {
    await prepareDatabase(database, config, logger, prepare);
    const sandbox = isEverything(chosen) ? await startOwnSandbox(config, secrets, logger) : undefined;
    if (sandbox) closing.push(sandbox.close);
    const inForce = sandbox ? { ...config, SANDBOX_URL: sandbox.url } : config;
    const app = await startApp({
      roles: chosen,
      ...{ config: inForce, secrets, databaseUrl: database.url, logger },
    });
    closing.push(app.drain);
    sayWhere(app.url, chosen, inForce);
  } catch (error) {
    await close();
    throw explainListenError(error, config);
  }
  void database.lost.then(reason => {
    logger.fatal(reason);
    process.exit(1);
  });
}

/** The payment provider to play with, alone. */
export async function serveSandbox(): Promise<void> {
  const config = readConfig(process.env);
  const logger = createLogger(config);
  const secrets = await readSecrets(config);
  const sandbox = await startOwnSandbox({ ...config, PAYMENT_PROVIDER: 'sandbox' }, secrets, logger).catch(
    error => {
      throw explainListenError(error, config);
    },
  );
  onShutdown(config.DRAIN_TIMEOUT_MS, logger, async () => sandbox?.close());
  say(`The sandbox payment provider listens at ${sandbox?.url}. It moves no money.`);
}

function isEverything(chosen: AppOptions['roles']): boolean {
  return chosen.length > 1;
}

async function startOwnSandbox(
  config: Config,
  secrets: Secrets,
  logger: Logger,
): Promise<Sandbox | undefined> {
  if (config.PAYMENT_PROVIDER !== 'sandbox') return undefined;
  const { apiKey, webhookSecret } = sandboxSecrets(secrets);
  const isPortKnown = config.PORT !== 0 || config.PAYMENT_WEBHOOK_URL !== undefined;
  const url = config.PAYMENT_WEBHOOK_URL ?? `http://127.0.0.1:${config.PORT}/api/webhooks/payments`;
  return startSandbox({
    ...{ host: config.HOST, port: config.SANDBOX_PORT, apiKey, logger },
    dataFile: join(config.DATA_DIR, 'sandbox-payments.jsonl'),
    webhook: isPortKnown ? { url, secret: webhookSecret } : undefined,
  });
}

function createLogger({ LOG_LEVEL: level }: Config): Logger {
  return pino({ level }, pino.destination(2));
}

async function prepareDatabase(
  database: Database,
  config: Config,
  logger: Logger,
  prepare: (pool: Pool) => Promise<void>,
): Promise<void> {
  const pool = createToolPool(database.url, config);
  try {
    await waitForDatabase(pool, config.DB_TIMEOUT);
    await prepare(pool);
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

function sayWhere(url: string | undefined, chosen: AppOptions['roles'], config: Config): void {
  if (url === undefined) {
    say(`Doorbuster is running: ${chosen.join(', ')}. Ctrl-C stops it.`);
    return;
  }
  const whereIs = (setting: string | undefined, path: string) =>
    setting ? 'as set by the environment' : path;
  say('');
  say('Doorbuster is running.');
  say(`  shop API         ${url}/api/products`);
  say(`  documentation    ${url}/docs`);
  say(`  operator secret  ${whereIs(config.OPERATOR_TOKEN, secretPath(config.DATA_DIR, 'operator-token'))}`);
  say(`  API key          ${whereIs(config.API_KEY, secretPath(config.DATA_DIR, 'api-key'))}`);
  say(`  data             ${config.DATABASE_URL ? 'in DATABASE_URL' : config.DATA_DIR}`);
  say(
    `  payments         ${config.PAYMENT_PROVIDER === 'sandbox' ? `sandbox at ${config.SANDBOX_URL}` : 'Stripe'}`,
  );
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
    `${HOST}:${portOf(error) ?? PORT} ${reason}`,
    'Set HOST, PORT and SANDBOX_PORT to free addresses',
    { cause: error },
  );
}

function portOf(error: object): unknown {
  return 'port' in error ? error.port : undefined;
}
