import type { Logger } from 'pino';
import type { Config } from '../platform/config/config.js';
import { messageOf } from '../platform/errors.js';
import { keepOpen } from '../platform/keep-open.js';
import { createPool } from '../platform/postgres.js';
import { seldom } from '../platform/telemetry/rarely.js';

// The request's deadline also limits the statement, so a batch whose requests have all given up does not hold the hot
// row. A limit shorter than this would cut off batches that are nearly done.
const statementTimeoutMsMin = 1000;

/** A process's connections: those for decisions, which it opens first and keeps, and those for everything else. */
export function createPools(databaseUrl: string, config: Config, logger: Logger) {
  // At least two, so that a sale whose row is locked leaves one for the others.
  const decisionsMax = Math.max(2, Math.ceil(config.DB_POOL_MAX / 5));
  const decisionPool = createPool(
    databaseUrl,
    { ...config, DB_POOL_MAX: decisionsMax, DB_POOL_MIN: decisionsMax },
    Math.min(config.DB_TIMEOUT, Math.max(config.DECISION_DEADLINE_MS, statementTimeoutMsMin)),
  );
  const othersMax = config.DB_POOL_MAX - decisionsMax;
  const pool = createPool(databaseUrl, {
    ...config,
    DB_POOL_MAX: othersMax,
    DB_POOL_MIN: Math.min(config.DB_POOL_MIN, othersMax - 1),
  });
  const decisionConnections = keepOpen({
    pool: decisionPool,
    others: pool,
    onMissing: seldom(error => {
      const open = decisionConnections.openCount();
      logger.error(
        { reason: messageOf(error), open, wanted: decisionsMax },
        'decisions lack connections to PostgreSQL: until they have them, nothing else in this process opens one',
      );
    }),
    onComplete: () => logger.info('decisions have all of their connections again'),
  });
  return { pool, decisionPool, decisionConnections };
}
