import { Command, Option } from 'commander';
import type { AuditOptions } from './audit-command.js';

// Loaded on demand: loading everything that all commands need would delay each of them by most of a second.
const serving = () => import('./serve-roles.js');
const schema = () => import('./schema.js');

/** The commands, as `doorbuster --help` lists them. They are in a separate module so that tests can list them. */
export const program = new Command('doorbuster')
  .description(
    'A self-hosted flash-sale engine. Settings come from the environment; "doorbuster config" shows them.',
  )
  .showHelpAfterError();

program
  .command('start')
  .description('run everything on this machine, with a demo catalogue')
  .action(async () => (await serving()).start());
program
  .command('api')
  .description('run only the HTTP API, on a database that "migrate" has prepared')
  .option('--processes <n>', 'number of processes that share the port', '1')
  .action(async (options: { processes: string }) => (await import('./processes.js')).serveApi(options));
const roleDescriptions = {
  worker: 'run only a worker, which decides queued orders',
  scheduler:
    'run only the scheduler, which expires holds, reconciles payments, and opens, closes and repeats sales',
  compensator: 'run only the compensator, which ends the orders of dead letters',
} as const;
for (const role of ['worker', 'scheduler', 'compensator'] as const) {
  program
    .command(role)
    .description(roleDescriptions[role])
    .action(async () => (await serving()).serveRole(role));
}
program
  .command('sandbox')
  .description('run only the sandbox, a payment provider for testing that moves no money')
  .action(async () => (await import('./sandbox.js')).serveSandbox());
program
  .command('migrate')
  .description('bring the database schema up to date')
  .action(async () => (await schema()).migrateDatabase());
program
  .command('seed')
  .description('add the demo catalogue, unless there are products already')
  .action(async () => (await schema()).seedDatabase());
program
  .command('reset')
  .description('delete ALL data, then migrate and seed')
  .option('--yes', 'confirm the deletion; required if DATABASE_URL is set or NODE_ENV is production')
  .action(async (options: { yes?: boolean }) => (await schema()).resetDatabase(options));
program
  .command('audit')
  .description('prove the invariants from the database; exits 1 on any violation')
  .option(
    '--acknowledged <file>',
    'orders that the engine confirmed, one JSON object per line (orderId, shopperId, quantity)',
  )
  .addOption(new Option('--json', 'print the report as JSON'))
  .action(async (options: AuditOptions) => (await import('./audit-command.js')).audit(options));
program
  .command('warm')
  .description('load the sales that are open, or open soon, into the Redis of REDIS_URL')
  .action(async () => (await import('./warm.js')).warm());
program
  .command('openapi')
  .description('print the OpenAPI description of the HTTP API; needs no database')
  .action(async () => (await import('./openapi.js')).printDescription());
program
  .command('config')
  .description('print the settings in force, secrets hidden')
  .option('--reference', 'print the reference of all settings instead (docs/settings.md)')
  .action(async (options: { reference?: boolean }) => (await import('./cli-config.js')).printConfig(options));
