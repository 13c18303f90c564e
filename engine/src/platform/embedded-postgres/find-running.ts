import { realpath } from 'node:fs/promises';
import { checkConnection, readDatabaseUrl } from './connection.js';
import { unlessMissing } from './postgres-errors.js';

/**
 * The connection URL of this data directory's running server, for tools (audit, migrate) that run alongside an engine;
 * undefined if there is none or it does not accept connections yet. The password belongs to this directory, so another
 * server that has taken the port since is not mistaken for it.
 */
export async function findRunningEmbeddedPostgres(dataDir: string): Promise<string | undefined> {
  const directory = await unlessMissing(realpath(dataDir));
  if (directory === undefined) return undefined;
  const databaseUrl = await readDatabaseUrl(directory);
  if (databaseUrl === undefined) return undefined;
  try {
    await checkConnection(databaseUrl);
    return databaseUrl;
  } catch {
    return undefined;
  }
}
