import type pg from 'pg';
import type { Config } from './config/config.js';

/**
 * A pooler in transaction mode, such as PgBouncer, gives each transaction any of its connections. Whatever lives longer
 * than a transaction (LISTEN, a session's advisory lock, a prepared statement, a setting) is then on a connection that
 * somebody else has next. So what needs a session goes to DATABASE_DIRECT_URL, and the rest does without.
 */
export function isThroughPooler(
  databaseUrl: string,
  { DATABASE_DIRECT_URL }: Pick<Config, 'DATABASE_DIRECT_URL'>,
): boolean {
  return DATABASE_DIRECT_URL !== undefined && databaseUrl !== DATABASE_DIRECT_URL;
}

/**
 * Has a connection send each statement without its name. PgBouncer knows named statements since 1.21 and only if told to;
 * a batch that is parsed anew costs some 0.1 ms more.
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
