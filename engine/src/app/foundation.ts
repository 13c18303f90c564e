import type { Logger } from 'pino';
import { createRefusals } from '../admission/refusals.js';
import { createFaultBroadcast } from '../faults/fault-broadcast.js';
import { createFaults } from '../faults/faults.js';
import { createCommitCheck } from '../platform/commit-check.js';
import type { Config } from '../platform/config/config.js';
import { createDatabaseClock } from '../platform/database-clock.js';
import { messageOf } from '../platform/errors.js';
import { connectionOptions } from '../platform/postgres.js';
import type { Secrets } from '../platform/secrets.js';
import type { Tracing } from '../platform/telemetry/tracing.js';
import { createInstruments } from './instruments.js';
import { createPools } from './pools.js';

export type FoundationOptions = {
  config: Config;
  secrets: Secrets;
  databaseUrl: string;
  logger: Logger;
  /** Records traces; without it, none are recorded. */
  tracing?: Tracing | undefined;
};

export type Foundation = ReturnType<typeof createFoundation>;

/** What every part of a process builds on: settings, connections to PostgreSQL, counts, and faults for drills. */
export function createFoundation(options: FoundationOptions) {
  const { config, secrets, databaseUrl, logger, tracing } = options;
  const { pool, decisionPool, decisionConnections } = createPools(databaseUrl, config, logger);
  const faults = createFaults({ isEnabled: config.FAULTS_ENABLED });
  return {
    config,
    secrets,
    logger,
    warn: (message: string) => (error: unknown) => logger.warn({ reason: messageOf(error) }, message),
    /** For connections outside the pools. */
    connection: connectionOptions(config.DATABASE_DIRECT_URL ?? databaseUrl, config),
    pool,
    pools: { decisions: decisionPool, other: pool },
    decisionConnections,
    commits: createCommitCheck(pool),
    clock: createDatabaseClock(),
    faults,
    faultBroadcast: createFaultBroadcast(pool, faults),
    refusals: createRefusals(),
    instruments: createInstruments(),
    tracing,
  };
}
