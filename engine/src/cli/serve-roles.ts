import cluster from 'node:cluster';
import type { Logger } from 'pino';
import { type App, type AppOptions, startApp } from '../app/app.js';
import { type Role, roles } from '../app/roles.js';
import { seedCatalog } from '../catalog/seed.js';
import { readRoutines } from '../ledger/routines.js';
import { checkDatabase } from '../platform/check-database.js';
import { checkPooler, findMissingTimeouts } from '../platform/check-pooler.js';
import { type Config, readConfig } from '../platform/config/config.js';
import { type Database, joinDatabase, openDatabase } from '../platform/database.js';
import { messageOf } from '../platform/errors.js';
import { checkSchema } from '../platform/migrations.js';
import { checkDurability, type Pool, waitForDatabase } from '../platform/postgres.js';
import { readSecrets, secretPath } from '../platform/secrets.js';
import { onShutdown } from '../platform/shutdown.js';
import type { ErrorReports } from '../platform/telemetry/error-reports.js';
import { createLogger } from '../platform/telemetry/logger.js';
import { startErrorReports } from '../platform/telemetry/start-error-reports.js';
import { explainListenError } from './listen-error.js';
import { startSandboxBeside } from './sandbox.js';
import { bringUpToDate } from './schema.js';
import { prepareWebBeside } from './start-web.js';
import { createToolPool, explainRefusal } from './tool.js';

const say = (message: string) => process.stdout.write(`${message}\n`);

/** Runs everything on this machine: database, schema, demo catalogue, all roles, and the sandbox payment provider. */
export async function start(): Promise<void> {
  await serve(['api', ...roles], openDatabase, async (pool, config) => {
    const applied = await bringUpToDate(pool, config);
    if (applied.length > 0) say(`Applied ${applied.join(', ')}.`);
    if ((await seedCatalog(pool)) > 0) say('Added a demo catalogue.');
  });
}

/**
 * Runs one role, for deployments that migrate in a separate step. If an engine runs on this DATA_DIR, the role joins
 * it.
 */
export async function serveRole(role: Role | 'api'): Promise<void> {
  await serve([role], joinDatabase, async pool => checkSchema(pool, await readRoutines()));
}

async function serve(
  chosen: AppOptions['roles'],
  open: typeof openDatabase,
  prepare: (pool: Pool, config: Config) => Promise<void>,
): Promise<void> {
  const config = readConfig(isEverything(chosen) ? { ...process.env, ...roomForDemo() } : process.env);
  const reports = await startErrorReports(config, error =>
    logger.warn({ reason: messageOf(error) }, 'an error could not be reported to Sentry'),
  );
  const logger = createLogger(config.LOG_LEVEL, { onError: reports?.report });
  if (reports) reportUncaught(logger, reports);
  const secrets = await readSecrets(config);
  const database = await open(config, { onProgress: say });
  const closing: (() => Promise<void>)[] = [...(reports ? [reports.close] : []), database.close];
  const close = async () => {
    for (let step = closing.pop(); step; step = closing.pop()) await step();
  };
  onShutdown(config.DRAIN_DELAY_MS + 2 * config.DRAIN_TIMEOUT_MS, logger, close);
  try {
    await prepareDatabase(database, config, logger, prepare);
    warnOfPlayMoney(config, logger);
    const sandbox = isEverything(chosen) ? await startSandboxBeside(config, secrets, logger) : undefined;
    if (sandbox) closing.push(sandbox.close);
    const web = isEverything(chosen) ? await prepareWebBeside(config, logger) : undefined;
    if (web) closing.push(web.close);
    const inForce = {
      ...config,
      ...(sandbox && { SANDBOX_URL: sandbox.url }),
      ...(web && { WEB_URL: web.url, WEB_KEY: web.key }),
    };
    const starting = startApp({
      roles: chosen,
      config: inForce,
      secrets,
      databaseUrl: database.url,
      logger,
      listeners,
    });
    // It takes requests before it has started completely. A stop in between lets those finish, too.
    closing.push(() =>
      starting.then(
        ({ drain }) => drain(),
        () => {},
      ),
    );
    const app = await starting;
    if (app.url) web?.start(app.url);
    // With several processes, the process that started them prints the addresses.
    if (cluster.worker) cluster.worker.send(app.url ?? '');
    else sayWhere(app, chosen, inForce);
  } catch (error) {
    await close();
    throw explainListenError(error, config);
  }
  void database.lost.then(async reason => {
    logger.fatal(reason);
    await reports?.close();
    process.exit(1);
  });
}

// If a connection arrives alone, all but one of these make a failing call, but then the turn is so short that none
// waits.
const listeners = 32;

/** Reports an uncaught error before it ends the process, as it would without this handler. */
function reportUncaught(logger: Logger, reports: ErrorReports): void {
  process.once('uncaughtException', error => {
    logger.fatal({ err: error }, 'uncaught error');
    void reports.close().finally(() => process.exit(1));
  });
}

// Only a warning: demonstrations and rehearsals of a deployment run in production mode, too.
function warnOfPlayMoney({ NODE_ENV, PAYMENT_PROVIDER }: Config, logger: Logger): void {
  if (NODE_ENV !== 'production' || PAYMENT_PROVIDER !== 'sandbox') return;
  logger.warn(
    'PAYMENT_PROVIDER is sandbox in production: no money moves, so shoppers get everything for free',
  );
}

// On one machine the load generator stands in for the shop: it opens 2,000 connections at once and wants every answer.
function roomForDemo() {
  return { MAX_IN_FLIGHT: process.env.MAX_IN_FLIGHT || '4000' };
}

function isEverything(chosen: AppOptions['roles']): boolean {
  return chosen.length > 1;
}

async function prepareDatabase(
  database: Database,
  config: Config,
  logger: Logger,
  prepare: (pool: Pool, config: Config) => Promise<void>,
): Promise<void> {
  await checkPooler(database.url, config);
  const pool = createToolPool(database.url, config);
  try {
    await waitForDatabase(pool, config.DB_TIMEOUT);
    await checkDatabase(pool);
    await explainRefusal(() => prepare(pool, config));
    await warnOfSettings(database.url, pool, config, logger);
  } finally {
    await pool.end();
  }
}

async function warnOfSettings(
  databaseUrl: string,
  pool: Pool,
  config: Config,
  logger: Logger,
): Promise<void> {
  const unsafe = await checkDurability(pool);
  if (unsafe.length > 0) {
    logger.warn(
      { settings: unsafe },
      'PostgreSQL may lose acknowledged orders in a crash: turn these settings on',
    );
  }
  const missing = await findMissingTimeouts(databaseUrl, config);
  if (missing.length > 0) {
    logger.warn(
      { settings: missing },
      'connections through the pooler lack these timeouts: set them for the role, with "alter role ... set ..."',
    );
  }
}

function sayWhere({ url, metricsUrl }: App, chosen: AppOptions['roles'], config: Config): void {
  if (url === undefined) {
    const metrics = metricsUrl ? ` Metrics: ${metricsUrl}.` : '';
    say(`Doorbuster is running: ${chosen.join(', ')}.${metrics} Ctrl-C stops it.`);
    return;
  }
  const whereIs = (setting: string | readonly string[] | undefined, path: string) =>
    setting ? 'set in the environment' : path;
  say('');
  say('Doorbuster is running.');
  if (config.WEB_URL) {
    say(`  shop             ${url}/`);
    say(`  console          ${url}/admin`);
  }
  say(`  shop API         ${url}/api/products`);
  say(`  documentation    ${url}/docs`);
  say(`  operator secret  ${whereIs(config.OPERATOR_TOKEN, secretPath(config.DATA_DIR, 'operator-token'))}`);
  say(`  API key          ${whereIs(config.API_KEY, secretPath(config.DATA_DIR, 'api-key'))}`);
  say(`  data             ${config.DATABASE_URL ? 'in DATABASE_URL' : config.DATA_DIR}`);
  say(
    `  payments         ${config.PAYMENT_PROVIDER}${config.PAYMENT_PROVIDER === 'sandbox' ? ` at ${config.SANDBOX_URL}` : ''}`,
  );
  if (metricsUrl) say(`  metrics          ${metricsUrl}`);
  say('Ctrl-C stops it; accepted orders are safe either way.');
}
