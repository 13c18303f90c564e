import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { connectionsSettings } from './settings/connections-settings.js';
import { decisionsSettings } from './settings/decisions-settings.js';
import { identityProblems, identitySettings } from './settings/identity-settings.js';
import { idsSettings } from './settings/ids-settings.js';
import { paymentsSettings } from './settings/payments-settings.js';
import { processSettings } from './settings/process-settings.js';
import { protectionSettings } from './settings/protection-settings.js';
import { telemetrySettings } from './settings/telemetry-settings.js';
import { webSettings } from './settings/web-settings.js';
import { webhooksSettings } from './settings/webhooks-settings.js';

/**
 * Settings come only from the environment. They are read once at startup; all bad values are reported together.
 * A secret may be given as NAME or, in a file, as NAME_FILE.
 */
const settings = {
  ...processSettings,
  ...connectionsSettings,
  ...identitySettings,
  ...idsSettings,
  ...decisionsSettings,
  ...paymentsSettings,
  ...protectionSettings,
  ...telemetrySettings,
  ...webSettings,
  ...webhooksSettings,
} satisfies Record<string, z.ZodType>;

type Name = keyof typeof settings;
const schema = z.object(settings);

export type Config = z.output<typeof schema> & {
  PAYMENT_PROVIDER: PaymentProviderName;
  ENABLE_REHEARSAL: boolean;
};

type PaymentProviderName = 'none' | 'sandbox' | 'stripe';

// Never printed, and also read from NAME_FILE. A public key is not secret, but it comes as a file.
export const secrets: readonly Name[] = [
  'DATABASE_URL',
  'DATABASE_DIRECT_URL',
  'AMQP_URL',
  'REDIS_URL',
  'API_KEY',
  'OPERATOR_TOKEN',
  'OPERATORS',
  'SECRET_KEY',
  'WEB_KEY',
  'CSRF_SECRET',
  'JWT_PUBLIC_KEY',
  'STRIPE_SECRET_KEY',
  'STRIPE_WEBHOOK_SECRET',
  'SENTRY_DSN',
];

/** Lists every bad setting with what was expected. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  constructor(readonly problems: readonly string[]) {
    super(`${problems.length} bad setting(s):\n${problems.map(problem => `  - ${problem}`).join('\n')}`);
  }
}

/** @throws ConfigError that names every bad setting. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const given = readSecretFiles(env, problems);
  if (!given.IDENTITY && given.NODE_ENV === 'production') {
    problems.push(
      'IDENTITY: expected "demo", "jwt" or "trusted"; there is no default when NODE_ENV=production',
    );
  }
  if (given.FAULTS_ENABLED === 'true' && given.NODE_ENV === 'production') {
    problems.push('FAULTS_ENABLED: expected "false" when NODE_ENV=production');
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    problems.push(...parsed.error.issues.map(issue => `${String(issue.path[0])}: ${issue.message}`));
    throw new ConfigError(problems);
  }
  problems.push(...identityProblems(parsed.data));
  const { DB_POOL_MIN, DB_POOL_MAX } = parsed.data;
  if (DB_POOL_MIN > DB_POOL_MAX) {
    problems.push(`DB_POOL_MIN: expected at most DB_POOL_MAX (${DB_POOL_MAX}), got ${DB_POOL_MIN}`);
  }
  const { ENABLE_METRICS, METRICS_PORT, PORT } = parsed.data;
  if (ENABLE_METRICS && METRICS_PORT === PORT && PORT !== 0) {
    problems.push(`METRICS_PORT: expected a port other than PORT (${PORT})`);
  }
  if (parsed.data.DATABASE_DIRECT_URL && !parsed.data.DATABASE_URL) {
    problems.push('DATABASE_DIRECT_URL: expected only with DATABASE_URL, the address of the pooler');
  }
  const { ENABLE_REHEARSAL = parsed.data.NODE_ENV !== 'production' } = parsed.data;
  const config = { ...parsed.data, ENABLE_REHEARSAL, PAYMENT_PROVIDER: paymentProviderOf(parsed.data) };
  if (config.PAYMENT_PROVIDER === 'stripe') {
    for (const name of ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'] as const) {
      if (!config[name]) problems.push(`${name}: expected with PAYMENT_PROVIDER=stripe`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

// In production, a forgotten setting must not let a shop sell for play money.
function paymentProviderOf({ NODE_ENV, PAYMENT_PROVIDER }: z.output<typeof schema>): PaymentProviderName {
  return PAYMENT_PROVIDER ?? (NODE_ENV === 'production' ? 'none' : 'sandbox');
}

/** Settings as lines of NAME=value for `doorbuster config`, secrets hidden. */
export function describeConfig(config: Config): string {
  return Object.keys(settings)
    .filter(isName)
    .map(name => `${name}=${display(name, config[name])}`)
    .join('\n');
}

function display(name: Name, value: Config[Name]): string {
  if (value === undefined) return '(not set)';
  return secrets.includes(name) ? '(hidden)' : String(value);
}

function isName(name: string): name is Name {
  return name in settings;
}

function readSecretFiles(env: Readonly<Record<string, string | undefined>>, problems: string[]) {
  const given: Record<string, string | undefined> = {};
  // An empty variable counts as not set: compose files and charts pass `NAME=` for omitted values.
  for (const name of Object.keys(settings)) given[name] = env[name] || undefined;
  for (const name of secrets) {
    const path = env[`${name}_FILE`];
    if (!path) continue;
    if (given[name]) problems.push(`${name}_FILE: ${name} is also set; expected only one of the two`);
    try {
      given[name] = readFileSync(path, 'utf8').trim();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      problems.push(`${name}_FILE: expected a readable file (${reason})`);
    }
  }
  return given;
}
