import { type Config, readConfig } from '../../src/platform/config/config.js';
import type { Secrets } from '../../src/platform/secrets.js';

export const apiKey = 'test-api-key-000000';
export const operatorToken = 'test-operator-token-000000';
export const secrets: Secrets = {
  apiKeys: [apiKey],
  operators: [{ name: 'operator', secret: operatorToken }],
  secretKey: 'test-secret-key-000000',
  csrfSecret: 'test-csrf-secret-000000',
};

/** The defaults, on a free port and without logs. */
export function testConfig(env: Record<string, string> = {}): Config {
  return readConfig({
    NODE_ENV: 'test',
    PORT: '0',
    LOG_LEVEL: 'silent',
    IDENTITY: 'trusted',
    DB_POOL_MIN: '0',
    DRAIN_DELAY_MS: '0',
    // Tests start hundreds of servers; the test of the warm-up sets it.
    WARM_UP_MS: '0',
    // All tests come from one address, with few shoppers, on a busy machine; tests of a limit set it.
    MAX_IN_FLIGHT: '0',
    RATE_LIMIT_IP_MAX: '0',
    RATE_LIMIT_USER_MAX: '0',
    SHED_LAG_MS: '0',
    SHED_WAIT_MS: '0',
    // Tests present many wrong tokens from one address; tests of the lock-out set it.
    OPERATOR_TRIES_MAX: '0',
    ...env,
  });
}
