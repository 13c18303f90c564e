import { readFileSync } from 'node:fs';
import { z } from 'zod';

/**
 * Settings come from the environment alone. Each is read once at start; every bad value is reported in one go.
 * A secret may be given as NAME or, from a file, as NAME_FILE.
 */
/** A shorter secret can be guessed. */
export const secretCharactersMin = 16;

const settings = {
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: integer(3000, 0, 65_535),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  DATA_DIR: z.string().min(1).default('.doorbuster'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\/\S+$/, 'expected postgres://user:password@host:port/database')
    .optional(),
  DB_POOL_MAX: integer(25, 2, 1000),
  DB_POOL_MIN: integer(5, 0, 1000),
  DB_TIMEOUT: integer(5000, 1, 600_000),
  DB_SSL: z.enum(['disable', 'require', 'verify-full']).default('disable'),
  // Without it orders queue in PostgreSQL.
  AMQP_URL: z
    .string()
    .regex(/^amqps?:\/\/[^\s/]+(\/[^\s/]*)?$/, 'expected amqp://user:password@host:port/vhost, or amqps:')
    .optional(),
  // As for decisions: what a shopper still takes for an answer.
  AMQP_TIMEOUT: integer(2000, 1, 600_000),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\/\S+$/, 'expected redis://user:password@host:port/number')
    .optional(),
  // What a purchase may wait for advice. A round trip is under a millisecond; a tenth of a second is a server in trouble.
  REDIS_TIMEOUT: integer(100, 2, 60_000),
  IDENTITY: z.enum(['demo', 'trusted']).default('demo'),
  API_KEY: secret(),
  OPERATOR_TOKEN: secret(),
  SECRET_KEY: secret(),
  // Two seconds is what a shopper still takes for an answer; PostgreSQL decides a full batch in under 50 ms.
  DECISION_DEADLINE_MS: integer(2000, 1, 60_000),
  // At 20,000 decisions a second a queue of 20,000 is one second of work: what does not fit would miss its deadline.
  DECISION_QUEUE_MAX: integer(20_000, 1, 1_000_000),
  // The rate is flat from 200 to 1,000 orders a batch; latency is not. See docs/measurements/.
  DECISION_BATCH_MAX: integer(500, 1, 5000),
  // Some 130 bytes an attempt with short names: 26 MB, and seven seconds of refusals at 30,000 a second.
  ATTEMPTS_BUFFER_MAX: integer(200_000, 1, 10_000_000),
  PAYMENT_PROVIDER: z.enum(['none', 'sandbox', 'stripe']).optional(),
  SANDBOX_PORT: integer(3010, 0, 65_535),
  SANDBOX_URL: z
    .string()
    .regex(/^https?:\/\/[^\s/]+$/, 'expected an address such as http://127.0.0.1:3010')
    .default('http://127.0.0.1:3010'),
  // Where the sandbox sends its webhooks; the API on this machine unless set.
  PAYMENT_WEBHOOK_URL: z
    .string()
    .regex(/^https?:\/\/\S+$/, 'expected an address such as http://127.0.0.1:3000/api/webhooks/payments')
    .optional(),
  STRIPE_SECRET_KEY: secret(),
  STRIPE_WEBHOOK_SECRET: secret(),
  // A day of a busy sale is gigabytes of attempts; 0 keeps them for ever.
  ATTEMPTS_RETENTION_DAYS: integer(90, 0, 36_500),
  DRAIN_DELAY_MS: integer(1000, 0, 120_000),
  DRAIN_TIMEOUT_MS: integer(10_000, 1, 600_000),
  FAULTS_ENABLED: boolean(),
} satisfies Record<string, z.ZodType>;

type Name = keyof typeof settings;
const schema = z.object(settings);

export type Config = z.output<typeof schema> & { PAYMENT_PROVIDER: PaymentProviderName };

type PaymentProviderName = 'none' | 'sandbox' | 'stripe';

const secrets: readonly Name[] = [
  'DATABASE_URL',
  'AMQP_URL',
  'REDIS_URL',
  'API_KEY',
  'OPERATOR_TOKEN',
  'SECRET_KEY',
  'STRIPE_SECRET_KEY',
  'STRIPE_WEBHOOK_SECRET',
];

/** Lists every bad setting, with what was expected of it. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  constructor(readonly problems: readonly string[]) {
    super(`${problems.length} bad setting(s):\n${problems.map(problem => `  - ${problem}`).join('\n')}`);
  }
}

/** @throws ConfigError naming every bad setting at once. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const given = readSecretFiles(env, problems);
  if (!given.IDENTITY && given.NODE_ENV === 'production') {
    problems.push('IDENTITY: expected "demo" or "trusted"; there is no default when NODE_ENV=production');
  }
  if (given.FAULTS_ENABLED === 'true' && given.NODE_ENV === 'production') {
    problems.push('FAULTS_ENABLED: expected "false" when NODE_ENV=production');
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    problems.push(...parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`));
    throw new ConfigError(problems);
  }
  const { DB_POOL_MIN, DB_POOL_MAX } = parsed.data;
  if (DB_POOL_MIN > DB_POOL_MAX) {
    problems.push(`DB_POOL_MIN: expected at most DB_POOL_MAX (${DB_POOL_MAX}), got ${DB_POOL_MIN}`);
  }
  const config = { ...parsed.data, PAYMENT_PROVIDER: paymentProviderOf(parsed.data) };
  if (config.PAYMENT_PROVIDER === 'stripe') {
    for (const name of ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'] as const) {
      if (!config[name]) problems.push(`${name}: expected with PAYMENT_PROVIDER=stripe`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

// In production nobody shall sell against money that is none because a setting was forgotten.
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
  // An empty variable counts as not set: compose files and charts pass `NAME=` for what was left out.
  for (const name of Object.keys(settings)) given[name] = env[name] || undefined;
  for (const name of secrets) {
    const path = env[`${name}_FILE`];
    if (!path) continue;
    if (given[name]) problems.push(`${name}_FILE: ${name} is set as well; expected only one of the two`);
    try {
      given[name] = readFileSync(path, 'utf8').trim();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      problems.push(`${name}_FILE: expected a readable file (${reason})`);
    }
  }
  return given;
}

function integer(fallback: number, min: number, max: number) {
  const message = `expected a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,10}$/, message)
    .transform(Number)
    .refine(value => value >= min && value <= max, message)
    .default(fallback);
}

function boolean() {
  return z
    .enum(['true', 'false'])
    .default('false')
    .transform(text => text === 'true');
}

function secret() {
  return z
    .string()
    .min(secretCharactersMin, `expected at least ${secretCharactersMin} characters`)
    .regex(/^[\x21-\x7e]+$/, 'expected printable ASCII without spaces')
    .optional();
}
