import { Command, Option } from 'commander';
import type { AuditOptions } from './audit-command.js';

// Loaded when they are asked for: all that any of them needs would make each of them wait for most of a second.
const serving = () => import('./serve-roles.js');
const schema = () => import('./schema.js');

/** The commands, as `doorbuster --help` lists them; in a module of its own, so that tests can ask what there is. */
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
  .description('run the HTTP API alone, on a database that "migrate" has prepared')
  .option('--processes <n>', 'in so many processes that share the port', '1')
  .action(async (options: { processes: string }) => (await import('./processes.js')).serveApi(options));
const roleDescriptions = {
  worker: 'run a worker alone: it decides queued orders',
  scheduler:
    'run the scheduler alone: it expires holds, reconciles payments, opens, closes and repeats sales',
  compensator: 'run the compensator alone: it ends the orders of dead letters',
} as const;
for (const role of ['worker', 'scheduler', 'compensator'] as const) {
  program
    .command(role)
    .description(roleDescriptions[role])
    .action(async () => (await serving()).serveRole(role));
}
program
  .command('sandbox')
  .description('run the sandbox alone: a payment provider to play with, which moves no money')
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
  .option('--yes', 'do not ask; needed where DATABASE_URL is set or NODE_ENV is production')
  .action(async (options: { yes?: boolean }) => (await schema()).resetDatabase(options));
program
  .command('audit')
  .description('prove the invariants from the database; exits 1 on any breach')
  .option(
    '--acknowledged <file>',
    'orders that were answered as confirmed, a JSON object a line (orderId, shopperId, quantity)',
  )
  .addOption(new Option('--json', 'print the report as JSON'))
  .action(async (options: AuditOptions) => (await import('./audit-command.js')).audit(options));
program
  .command('warm')
  .description('put the sales that are open, or soon will be, into the Redis of REDIS_URL')
  .action(async () => (await import('./warm.js')).warm());
program
  .command('openapi')
  .description('print the OpenAPI description of the HTTP API; needs no database')
  .action(async () => (await import('./openapi.js')).printDescription());
program
  .command('config')
  .description('print the settings in force, secrets hidden')
  .option('--reference', 'print what each setting means instead, as docs/settings.md has it')
  .action(async (options: { reference?: boolean }) => (await import('./cli-config.js')).printConfig(options));
