import { realpath } from 'node:fs/promises';
import { checkConnection, readDatabaseUrl } from './connection.js';
import { unlessMissing } from './postgres-errors.js';

/**
 * The connection URL of the live server of this data directory, for tools (audit, migrate) that run beside an engine;
 * undefined when there is none or it does not accept connections yet. The password is this directory's own, so
 * another server that has taken the port since is not mistaken for it.
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
