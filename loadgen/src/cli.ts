import { Command, CommanderError } from 'commander';
import { readCallers } from './callers.js';
import { findApiKey, findOperatorToken } from './credentials.js';
import { LoadFailure } from './failure.js';
import { helpText } from './help.js';
import { parseTargets } from './http/target.js';
import type { Options } from './options.js';
import { SCENARIOS } from './scenarios/catalogue.js';
import type { Scenario, SettingName } from './scenarios/scenario.js';
import { parseNumber, resolveSettings, SETTING_NAMES, SETTING_RULES } from './scenarios/settings.js';

/** The process's environment and streams. Tests pass their own. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly directory: string;
  writeOut(text: string): unknown;
}

interface Flags {
  scenario?: string;
  url: string;
  apiKey?: string;
  operatorToken?: string;
  operatorTokenFile?: string;
  productId?: string;
  path?: string;
  callers?: string;
  json?: string;
  journal?: string;
  keys: boolean;
  verify: boolean;
  tolerateErrors: boolean;
  quiet: boolean;
  timeout: string;
  reconnectFor: string;
  auditWithin: string;
  settleWithin: string;
}

/**
 * Parses the command line. Returns null if the user asked for help, which is then already printed.
 * @throws LoadFailure `usage` that says what was expected.
 */
export function parseOptions(args: readonly string[], around: Surroundings): Options | null {
  const command = createCommand(around);
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return null;
    throw new LoadFailure('usage', error.message.replace(/^error: /, ''));
  }
  return toOptions(command, around);
}

function toOptions(command: Command, around: Surroundings): Options {
  const flags = command.opts<Flags>();
  const scenario = findScenario(flags.scenario);
  const productId = flags.productId === undefined ? null : positive('product-id', flags.productId);
  const { apiKey, operatorToken, operatorTokenFile } = flags;
  const sources = { apiKey, operatorToken, operatorTokenFile, env: around.env, directory: around.directory };
  const targets = parseTargets(flags.url);
  const isBare = scenario.name === 'raw';
  const needsOperator = !isBare && scenario.name !== 'ids' && (productId === null || flags.verify);
  return {
    scenario,
    settings: resolveSettings(scenario, givenSettings(command)),
    target: targets[0],
    targets,
    path: flags.path === undefined ? null : parsePath(flags.path, scenario),
    apiKey: findApiKey(sources, !isBare),
    operatorToken: findOperatorToken(sources, needsOperator),
    callers: flags.callers === undefined ? null : parseCallers(flags.callers, scenario),
    productId,
    jsonFile: flags.json ?? null,
    journalFile: flags.journal ?? null,
    keys: flags.keys,
    verify: flags.verify && !isBare,
    tolerateErrors: flags.tolerateErrors,
    quiet: flags.quiet,
    requestTimeoutMs: positive('timeout', flags.timeout) * 1000,
    reconnectLimitMs: positive('reconnect-for', flags.reconnectFor) * 1000,
    auditPatienceMs: positive('audit-within', flags.auditWithin) * 1000,
    settlePatienceMs: positive('settle-within', flags.settleWithin) * 1000,
  };
}

function createCommand(around: Surroundings): Command {
  const command = new Command('load')
    .exitOverride()
    .configureOutput({ writeOut: text => around.writeOut(text), writeErr: () => {} })
    .helpOption('-h, --help', 'print this help')
    .allowExcessArguments(false)
    .option('--scenario <name>', 'the scenario to run (see below)')
    .option(
      '--url <origin>',
      'address of the server, http only; separate several with commas',
      'http://127.0.0.1:3000',
    );
  for (const name of SETTING_NAMES) {
    const { flag, summary } = SETTING_RULES[name];
    const value = name === 'shares' ? '<a,b,c>' : '<number>';
    command.option(`--${flag} ${value}`, `${summary} (${takers(name)})`);
  }
  return command
    .option(
      '--api-key <key>',
      'key that buys on behalf of shoppers (default: env API_KEY, .doorbuster/api-key)',
    )
    .option('--operator-token <token>', 'creates the sale and reads its orders (default: env OPERATOR_TOKEN)')
    .option(
      '--operator-token-file <file>',
      'read the operator token from a file (default: .doorbuster/operator-token)',
    )
    .option('--product-id <id>', 'buy from the open sale of this product instead of creating one')
    .option('--path <path>', "path to POST to (default: the scenario's own)")
    .option(
      '--callers <file>',
      'shoppers with credentials of their own, used in turn instead of the API key: the headers of each as a line of JSON (raw)',
    )
    .option('--no-keys', 'send no Idempotency-Key')
    .option('--no-verify', "do not compare the answers with the server's orders afterwards")
    .option('--tolerate-errors', 'lost connections, timeouts and 503 do not fail the verdict', false)
    .option('--timeout <seconds>', 'timeout of one request', '10')
    .option('--reconnect-for <seconds>', 'give up after the server has been unreachable for this long', '30')
    .option('--audit-within <seconds>', "time within which the server's audit must become clean", '10')
    .option('--settle-within <seconds>', 'time within which all queued orders and holds must end', '300')
    .option('--journal <file>', 'write each confirmed order to the file at once, as a line of JSON')
    .option('--json <file>', 'write the report as JSON')
    .option('--quiet', 'print only the report, no progress', false)
    .option('--keys', 'send a unique Idempotency-Key with each request (default)')
    .option('--verify', "compare the answers with the server's orders afterwards (default)")
    .addHelpText('after', helpText());
}

function findScenario(name: string | undefined): Scenario {
  const names = SCENARIOS.map(scenario => scenario.name).join(', ');
  if (name === undefined) throw new LoadFailure('usage', `--scenario is missing: expected one of ${names}.`);
  const scenario = SCENARIOS.find(each => each.name === name);
  if (scenario === undefined) throw new LoadFailure('usage', `--scenario ${name}: expected one of ${names}.`);
  return scenario;
}

function givenSettings(command: Command): Partial<Record<SettingName, string>> {
  const given: Partial<Record<SettingName, string>> = {};
  for (const name of SETTING_NAMES) {
    const value: unknown = command.getOptionValue(SETTING_RULES[name].flag);
    if (typeof value === 'string') given[name] = value;
  }
  return given;
}

function takers(name: SettingName): string {
  return SCENARIOS.filter(({ defaults, optional }) => name in defaults || optional.includes(name))
    .map(scenario => scenario.name)
    .join(', ');
}

function positive(flag: string, text: string): number {
  const value = parseNumber(text);
  if (value > 0 && (flag !== 'product-id' || Number.isSafeInteger(value))) return value;
  throw new LoadFailure('usage', `--${flag} ${text}: expected a number above 0.`);
}

function parseCallers(file: string, scenario: Scenario): string[] {
  if (scenario.name === 'raw') return readCallers(file);
  throw new LoadFailure('usage', `--callers applies only to the scenario raw, not to ${scenario.name}.`);
}

function parsePath(path: string, scenario: Scenario): string {
  if (['mixed', 'crowd', 'ids'].includes(scenario.name))
    throw new LoadFailure(
      'usage',
      `--path does not apply to the scenario ${scenario.name}, which uses several paths.`,
    );
  if (/^\/[\x21-\x7e]*$/.test(path)) return path;
  throw new LoadFailure('usage', `--path ${path}: expected a path such as /api/purchase.`);
}
