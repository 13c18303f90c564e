import pg from 'pg';
import type { Config } from './config/config.js';
import { codeOf, messageOf, OperatingError } from './errors.js';
import { dropStatementNames, isThroughPooler } from './pooler.js';

export type Pool = pg.Pool;
export type Client = pg.ClientBase;
/** What a query needs: a pool, or a client inside a transaction. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

type ConnectionSettings = Pick<Config, 'DB_TIMEOUT' | 'DB_SSL' | 'DATABASE_DIRECT_URL'>;

/**
 * Opens a pool on the database. Every connection has a statement timeout, a lock timeout and an idle-in-transaction
 * timeout, so that no stuck statement holds the hot row for longer than DB_TIMEOUT.
 */
export function createPool(
  databaseUrl: string,
  config: ConnectionSettings & Pick<Config, 'DB_POOL_MAX' | 'DB_POOL_MIN'>,
  statementTimeoutMs = config.DB_TIMEOUT,
): Pool {
  const pool = new pg.Pool({
    ...connectionOptions(databaseUrl, config, statementTimeoutMs),
    max: config.DB_POOL_MAX,
    min: config.DB_POOL_MIN,
    connectionTimeoutMillis: config.DB_TIMEOUT,
    // Connections that a rush has opened are closed within a minute, because other processes share the server.
    idleTimeoutMillis: 60_000,
    // A pool that keeps all its connections open never recycles one: another process could take the freed place.
    maxLifetimeSeconds: config.DB_POOL_MIN < config.DB_POOL_MAX ? 60 * 60 : 0,
  });
  // The pool replaces a connection that the server closes, and its user gets the error from its query. Without these
  // listeners Node would end the process: the pool's listener is for idle connections, the other for those in use.
  pool.on('error', () => {});
  pool.on('connect', client => {
    client.on('error', () => {});
    failCancelledCommits(client);
  });
  if (isThroughPooler(databaseUrl, config)) pool.on('connect', dropStatementNames);
  nameConnectErrors(pool);
  return pool;
}

/** The process could not get a connection, so it sent no statement. Has the message and the code of its cause. */
export class ConnectError extends Error {
  readonly code: string | undefined;

  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
    this.code = codeOf(cause);
  }
}

/**
 * A proxy whose servers are all down accepts a connection and closes it, which looks like a connection that was lost at
 * COMMIT. Only the code that requested the connection can tell the difference; pool.query also requests it here.
 */
function nameConnectErrors(pool: Pool): void {
  pool.connect = new Proxy(pool.connect, {
    apply(connect, self, [callback]) {
      if (!callback) {
        return Reflect.apply(connect, self, []).catch((error: unknown) => {
          throw new ConnectError(error);
        });
      }
      const named: Parameters<Pool['connect']>[0] = (error, ...rest) =>
        callback(error && new ConnectError(error), ...rest);
      return Reflect.apply(connect, self, [named]);
    },
  });
}

/**
 * A session that is cancelled while its COMMIT waits for a synchronous standby stops waiting and reports success; only a
 * warning says that the standby may lack the commit. The connection then counts as lost, so that the outcome is unknown
 * and a retry waits for the standby again.
 */
function failCancelledCommits(client: pg.PoolClient): void {
  client.on('notice', ({ routine, message = 'the wait for the standby was cancelled' }) => {
    // By its name, because messages are in the server's language.
    if (routine !== 'SyncRepWaitForLSN') return;
    const remedy = 'Send the request again, with the same Idempotency-Key if it has one';
    client.connection.emit(
      'error',
      new OperatingError('NOT_REPLICATED', message, remedy, { retryable: true }),
    );
  });
}

export function connectionOptions(
  databaseUrl: string,
  config: ConnectionSettings,
  statementTimeoutMs = config.DB_TIMEOUT,
): pg.ClientConfig {
  const timeouts = {
    statement_timeout: statementTimeoutMs,
    lock_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
  };
  return {
    ...addressOptions(databaseUrl, config),
    // A pooler refuses them as session parameters; there the database role must set them.
    ...(isThroughPooler(databaseUrl, config) ? {} : timeouts),
    // This detects a server that disappears without closing its connections (power loss, a dropped route).
    query_timeout: statementTimeoutMs + 1000,
  };
}

/** How to reach a server, without any settings of the session. */
export function addressOptions(
  databaseUrl: string,
  { DB_SSL, DB_TIMEOUT }: ConnectionSettings,
): pg.ClientConfig {
  return {
    connectionString: databaseUrl,
    application_name: 'doorbuster',
    ...(DB_SSL === 'disable' ? {} : { ssl: { rejectUnauthorized: DB_SSL === 'verify-full' } }),
    connectionTimeoutMillis: DB_TIMEOUT,
    keepAlive: true,
    types: { getTypeParser },
  };
}

/** Runs `work` in one transaction; rolls back if it throws. It must make no network call except to the database. */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: Client) => Promise<T>,
  begin = 'begin',
): Promise<T> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query(begin);
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    // If a transaction failed without a SQLSTATE, its connection is not worth keeping: the pool opens another.
    client.release(failure && !sqlStateOf(failure) ? failure : undefined);
  }
}

/** Five-character SQLSTATE of a PostgreSQL error, undefined for anything else (a cut connection, a bug). */
export function sqlStateOf(error: unknown): string | undefined {
  const code = codeOf(error);
  // Every SQLSTATE that a server sends contains a digit; EPIPE, which is not a SQLSTATE, contains none.
  return code !== undefined && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Name of the constraint that a PostgreSQL error names. */
export function constraintOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.constraint : undefined;
}

/** Checks that this server's acknowledged commits are on disk; promise 3 depends on it. */
export async function checkDurability(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes')`,
  );
  return rows.filter(row => row.setting === 'off').map(row => row.name);
}

/** Shares one probe of the database between concurrent callers. @returns why it fails, if it does. */
export function createProbe(ask: () => Promise<unknown>): () => Promise<unknown> {
  let asked: Promise<unknown> | undefined;
  return () => {
    asked ??= ask()
      .then(() => undefined)
      .catch((error: unknown) => error)
      .finally(() => {
        asked = undefined;
      });
    return asked;
  };
}

/** Waits until the database answers. @throws OperatingError DATABASE_UNREACHABLE after `timeoutMs`. */
export async function waitForDatabase(pool: Pool, timeoutMs: number): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  const probe = { text: 'select 1', query_timeout: timeoutMs };
  for (;;) {
    try {
      await pool.query(probe);
      return;
    } catch (error) {
      if (performance.now() > giveUpAt) {
        throw new OperatingError(
          'DATABASE_UNREACHABLE',
          `PostgreSQL does not answer: ${messageOf(error)}`,
          'Check DATABASE_URL and that the server accepts connections',
          { cause: error, retryable: true },
        );
      }
      await new Promise(resolve => setTimeout(resolve, 200));
    }
  }
}

const int8 = 20;

// bigint arrives as text because it can exceed 2^53. The engine's values are far below that; a larger one must not be
// rounded.
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  if (oid === int8) return parseSafeInteger;
  return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text');
}

function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond 2^53 - 1`);
  return value;
}
