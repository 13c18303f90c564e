import { expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../src/platform/config/config.js';
import { createDataDir, runTool } from '../support/engine.js';

const noCounts = ['-1', '1.5', '1e3', 'many', ' 1', '0x10', '99999999999'];
const noSecrets = ['short', 'with a space in the middle', 'ünprintable-and-long', `${'x'.repeat(20)}\n`];
const bad: [name: string, values: string[], expected: RegExp][] = [
  ['PORT', [...noCounts, '65536'], /whole number from 0 to 65535/],
  ['DB_POOL_MAX', [...noCounts, '0', '2', '1001'], /whole number from 3 to 1000/],
  ['DB_POOL_MIN', [...noCounts, '1001', '26'], /whole number|at most DB_POOL_MAX/],
  ['DB_TIMEOUT', [...noCounts, '0'], /whole number from 1/],
  ['DECISION_DEADLINE_MS', [...noCounts, '0'], /whole number from 1/],
  ['DECISION_QUEUE_MAX', [...noCounts, '0'], /whole number from 1/],
  ['DECISION_BATCH_MAX', [...noCounts, '0', '5001'], /whole number from 1 to 5000/],
  ['ATTEMPTS_RETENTION_DAYS', noCounts, /whole number from 0/],
  ['OPERATOR_ACTIONS_RETENTION_DAYS', noCounts, /whole number from 0/],
  ['DATABASE_URL', ['mysql://x', 'localhost', 'postgres:/x', 'postgres://a b'], /postgres:\/\//],
  ['REDIS_URL', ['http://x', 'localhost:6379'], /redis:\/\//],
  ['AMQP_URL', ['http://x', 'localhost'], /amqp:\/\//],
  ['PAYMENT_WEBHOOK_URL', ['ftp://x', 'here'], /address such as/],
  // Keys may be on separate lines.
  ['API_KEY', noSecrets.slice(0, 3), /characters|printable ASCII/],
  ['OPERATOR_TOKEN', noSecrets, /characters|printable ASCII/],
  ['SECRET_KEY', noSecrets, /characters|printable ASCII/],
  ['API_KEY_FILE', ['/does/not/exist', '/'], /readable file/],
  ['LOG_LEVEL', ['loud', 'INFO'], /"info"/],
  ['NODE_ENV', ['prod', 'Production'], /"production"/],
  ['IDENTITY', ['none', 'anybody'], /"trusted"/],
  ['FAULTS_ENABLED', ['yes', '1', 'TRUE'], /"true"/],
  ['DB_SSL', ['yes', 'true'], /"require"/],
  ['PAYMENT_PROVIDER', ['paypal'], /"stripe"/],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', ['localhost:4318', 'grpc://x', 'http://user:pass@x'], /http:\/\/host:port/],
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', ['/v1/traces', 'http://a b'], /http:\/\/host:port/],
  ['OTEL_TRACES_SAMPLER', ['all', 'jaeger_remote'], /"parentbased_traceidratio"/],
  ['OTEL_TRACES_SAMPLER_ARG', ['1.5', '-1', 'half', '1e-3', ' 1'], /from 0 to 1/],
  [
    'SENTRY_DSN',
    ['sentry.io/1', 'https://host/1', 'https://abc@sentry.example', 'https://a b@host/1'],
    /key@host/,
  ],
];
const rows = bad.flatMap(([name, values, expected]) => values.map(value => ({ name, value, expected })));

it(`each bad setting (${rows.length} values) is named with what is expected, and its value is not repeated`, () => {
  const wrong = rows.filter(({ name, value, expected }) => {
    const problems = problemsOf({ [name]: value });
    const isNamed = problems.some(text => text.startsWith(`${name}: `) && expected.test(text));
    const isSecret = /KEY$|TOKEN$|DSN$/.test(name);
    return !isNamed || (isSecret && problems.some(text => text.includes(value)));
  });
  expect(wrong).toEqual([]);
});

it('a process with bad settings names all of them and exits with 1', async () => {
  const env = { PORT: 'x', LOG_LEVEL: 'loud', API_KEY: 'short' };
  const { code, output } = await runTool(['start'], await createDataDir(), env);
  expect(code).toBe(1);
  for (const name of Object.keys(env)) expect(output).toContain(name);
  expect(output).not.toMatch(/node_modules|\n\s+at /);
});

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
