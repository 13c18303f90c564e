import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, describeConfig, readConfig } from './config.js';

describe('settings', () => {
  it('have defaults for a development machine', () => {
    expect(readConfig({})).toMatchObject({
      PORT: 3000,
      HOST: '127.0.0.1',
      IDENTITY: 'demo',
      OPERATOR_TRIES_MAX: 10,
      DB_POOL_MAX: 25,
    });
  });

  it('are rejected all at once, each with the value it expects', () => {
    const env = {
      PORT: '70000',
      DB_POOL_MAX: 'many',
      DATABASE_URL: 'mysql://x',
      AMQP_URL: 'http://h',
      REDIS_URL: 'http://x',
      API_KEY: 'short',
      LOG_LEVEL: 'loud',
    };
    expect(problemsOf(env)).toEqual([
      'PORT: expected a whole number from 0 to 65535',
      expect.stringContaining('LOG_LEVEL: '),
      'DATABASE_URL: expected postgres://user:password@host:port/database',
      'DB_POOL_MAX: expected a whole number from 3 to 1000',
      'AMQP_URL: expected amqp://user:password@host:port/vhost, or amqps:',
      'REDIS_URL: expected redis://user:password@host:port/number',
      'API_KEY: expected at least 16 characters',
    ]);
  });

  it('accept one address of PostgreSQL, and reject several with the alternatives', () => {
    const several = [
      'postgres://u:p@one,two/shop',
      'postgres://u:p@one:5432,two:5432/shop',
      'postgres://u:p@one/shop?host=one,two',
      'postgres://u:p@one/shop?sslmode=require&target_session_attrs=read-write',
      'postgres://u:p@one/shop?load_balance_hosts=random',
    ];
    for (const url of several) {
      expect([url, problemsOf({ DATABASE_URL: url, DATABASE_DIRECT_URL: url })]).toEqual([
        url,
        [
          expect.stringMatching(/^DATABASE_URL: expected one address that leads to the primary \(HAProxy/),
          expect.stringMatching(/^DATABASE_DIRECT_URL: expected one address/),
        ],
      ]);
    }
    for (const url of ['postgres://u:a,b@one:5432/shop', 'postgresql://u@/shop?host=/var/run/postgresql']) {
      expect(readConfig({ DATABASE_URL: url }).DATABASE_URL).toBe(url);
    }
  });

  it('require an explicit identity mode in production', () => {
    expect(problemsOf({ NODE_ENV: 'production' })).toEqual([expect.stringContaining('IDENTITY')]);
    expect(readConfig({ NODE_ENV: 'production', IDENTITY: 'demo' }).IDENTITY).toBe('demo');
  });

  it('allow fault injection only on request, and never in production', () => {
    expect(readConfig({}).FAULTS_ENABLED).toBe(false);
    expect(readConfig({ FAULTS_ENABLED: 'true' }).FAULTS_ENABLED).toBe(true);
    expect(problemsOf({ FAULTS_ENABLED: 'yes' })).toEqual([expect.stringContaining('FAULTS_ENABLED')]);
    const production = { NODE_ENV: 'production', IDENTITY: 'demo' };
    expect(problemsOf({ ...production, FAULTS_ENABLED: 'true' })).toEqual([
      'FAULTS_ENABLED: expected "false" when NODE_ENV=production',
    ]);
    expect(readConfig({ ...production, FAULTS_ENABLED: 'false' }).FAULTS_ENABLED).toBe(false);
  });

  it('allow rehearsals outside production by default, and in production only on request', () => {
    expect(readConfig({}).ENABLE_REHEARSAL).toBe(true);
    expect(readConfig({ ENABLE_REHEARSAL: 'false' }).ENABLE_REHEARSAL).toBe(false);
    const production = { NODE_ENV: 'production', IDENTITY: 'trusted' };
    expect(readConfig(production).ENABLE_REHEARSAL).toBe(false);
    expect(readConfig({ ...production, ENABLE_REHEARSAL: 'true' }).ENABLE_REHEARSAL).toBe(true);
    expect(problemsOf({ ENABLE_REHEARSAL: '1' })).toEqual([expect.stringContaining('ENABLE_REHEARSAL')]);
  });

  it('default to the sandbox outside production, and require the keys of a provider that has keys', () => {
    expect(readConfig({}).PAYMENT_PROVIDER).toBe('sandbox');
    const production = { NODE_ENV: 'production', IDENTITY: 'trusted' };
    expect(readConfig(production).PAYMENT_PROVIDER).toBe('none');
    expect(readConfig({ ...production, PAYMENT_PROVIDER: 'sandbox' }).PAYMENT_PROVIDER).toBe('sandbox');
    expect(problemsOf({ PAYMENT_PROVIDER: 'stripe' })).toEqual([
      'STRIPE_SECRET_KEY: expected with PAYMENT_PROVIDER=stripe',
      'STRIPE_WEBHOOK_SECRET: expected with PAYMENT_PROVIDER=stripe',
    ]);
  });

  it("serve metrics only on request, and not on the shop's port", () => {
    expect(readConfig({})).toMatchObject({
      ENABLE_METRICS: false,
      METRICS_HOST: '127.0.0.1',
      METRICS_PORT: 9464,
    });
    expect(problemsOf({ ENABLE_METRICS: 'true', METRICS_PORT: '3000' })).toEqual([
      'METRICS_PORT: expected a port other than PORT (3000)',
    ]);
  });

  it('trust proxies by address and range, and never every address', () => {
    expect(readConfig({}).TRUST_PROXY).toEqual([]);
    const proxies = '10.0.0.0/8, 192.0.2.1,fd00::/8,::1';
    expect(readConfig({ TRUST_PROXY: proxies }).TRUST_PROXY).toEqual([
      '10.0.0.0/8',
      '192.0.2.1',
      'fd00::/8',
      '::1',
    ]);
    for (const text of [
      'true',
      '1',
      '0.0.0.0/0',
      '::/0',
      '10.0.0.0/33',
      'fd00::/129',
      '10.0.0/8',
      '10.0.0.0/8/8',
      'lb.local',
    ]) {
      expect(problemsOf({ TRUST_PROXY: text })).toEqual([
        expect.stringContaining('TRUST_PROXY: expected addresses'),
      ]);
    }
  });

  it('for tokens name issuer and key, and accept no algorithm with a shared secret', () => {
    const issuer = { JWT_ISSUER: 'https://id.example', JWT_AUDIENCE: 'shop' };
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const jwt = { IDENTITY: 'jwt', ...issuer, JWT_PUBLIC_KEY: pem };

    expect(readConfig(jwt).JWT_ALGORITHMS).toEqual(['RS256', 'ES256', 'EdDSA']);
    expect(readConfig({ ...jwt, JWT_PUBLIC_KEY: pem.replaceAll('\n', '\\n') }).JWT_PUBLIC_KEY).toBe(
      pem.trim(),
    );
    expect(problemsOf({ IDENTITY: 'jwt' }).map(problem => problem.split(':')[0])).toEqual([
      'JWT_PUBLIC_KEY',
      'JWT_ISSUER',
      'JWT_AUDIENCE',
    ]);
    const bad: Record<string, string>[] = [
      { JWT_PUBLIC_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
      { JWT_PUBLIC_KEY: 'key' },
      { JWT_ALGORITHMS: 'RS256' },
      { JWT_ALGORITHMS: 'ES256,HS256' },
      { JWT_ALGORITHMS: 'none' },
      { JWT_JWKS_URL: 'https://id.example/jwks.json' },
      { JWT_JWKS_URL: 'ftp://id.example' },
    ];
    for (const settings of bad) expect(problemsOf({ ...jwt, ...settings })).toHaveLength(1);
    const remote = { IDENTITY: 'jwt', ...issuer, JWT_JWKS_URL: 'http://id.example/jwks.json' };
    expect(readConfig(remote).JWT_JWKS_URL).toBe('http://id.example/jwks.json');
    expect(problemsOf({ ...remote, NODE_ENV: 'production' })).toHaveLength(1);
  });

  it('for operators and origins are lists whose every part is checked', () => {
    const OPERATORS = 'ann:secret-of-ann-0000';
    expect(problemsOf({ OPERATORS: 'ann:short' })).toEqual([expect.stringContaining('OPERATORS: ')]);
    expect(problemsOf({ OPERATORS: `${OPERATORS},${OPERATORS}` })).toHaveLength(1);
    expect(problemsOf({ OPERATORS: 'operator:secret-of-ann-0000' })).toHaveLength(1);
    expect(problemsOf({ OPERATORS, OPERATOR_TOKEN: 'secret-of-ann-0000' })).toHaveLength(1);
    expect(readConfig({ CORS_ORIGIN: 'https://a.example, http://b:1' }).CORS_ORIGIN).toHaveLength(2);
    for (const CORS_ORIGIN of ['*', 'null', 'a.example', 'https://a.example/', 'https://a.example/x']) {
      expect(problemsOf({ CORS_ORIGIN })).toEqual([expect.stringContaining('CORS_ORIGIN: ')]);
    }
  });

  it('take a secret from a file, and reject it from two places', () => {
    const directory = mkdtempSync(join(tmpdir(), 'doorbuster-config-'));
    const file = join(directory, 'key');
    writeFileSync(file, 'a-key-of-enough-characters\n');
    expect(readConfig({ API_KEY_FILE: file }).API_KEY).toEqual(['a-key-of-enough-characters']);
    expect(problemsOf({ API_KEY_FILE: file, API_KEY: 'another-key-of-enough-characters' })).toHaveLength(1);
    expect(problemsOf({ API_KEY_FILE: join(directory, 'missing') })).toEqual([
      expect.stringContaining('readable file'),
    ]);
    rmSync(directory, { recursive: true });
  });

  it('are printed without secrets', () => {
    const text = describeConfig(
      readConfig({
        API_KEY: 'a-key-of-enough-characters',
        DATABASE_URL: 'postgres://u:hunter2@h/d',
        AMQP_URL: 'amqp://u:hunter2@h:5672/shop',
        REDIS_URL: 'rediss://u:hunter2@h',
        SENTRY_DSN: 'https://hunter2@o1.ingest.sentry.io/4',
      }),
    );
    expect(text).toContain('PORT=3000');
    expect(text).toContain('API_KEY=(hidden)');
    expect(text).toContain('REDIS_URL=(hidden)');
    expect(text).toContain('OPERATOR_TOKEN=(not set)');
    expect(text).not.toMatch(/hunter2|a-key-of/);
  });
});

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('these settings were expected to be refused');
}
