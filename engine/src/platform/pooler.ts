import type pg from 'pg';
import type { Config } from './config/config.js';

/**
 * A pooler in transaction mode, such as PgBouncer, gives each transaction any of its connections. State that outlives a
 * transaction (LISTEN, a session's advisory lock, a prepared statement, a setting) would then stay on a connection that
 * another client gets next. So work that needs a session goes to DATABASE_DIRECT_URL, and other work uses no such state.
 */
export function isThroughPooler(
  databaseUrl: string,
  { DATABASE_DIRECT_URL }: Pick<Config, 'DATABASE_DIRECT_URL'>,
): boolean {
  return DATABASE_DIRECT_URL !== undefined && databaseUrl !== DATABASE_DIRECT_URL;
}

/**
 * Makes a connection send each statement without its name. PgBouncer supports named statements since 1.21 and only if
 * configured to; parsing each batch again costs about 0.1 ms.
 */
export function dropStatementNames(client: pg.ClientBase): void {
  client.query = new Proxy(client.query, {
    apply: (query, self, [statement, ...rest]) =>
      Reflect.apply(query, self, [withoutName(statement), ...rest]),
  });
}

function withoutName(statement: unknown): unknown {
  const isNamed = typeof statement === 'object' && statement !== null && 'name' in statement;
  return isNamed && 'text' in statement ? { ...statement, name: undefined } : statement;
}
