import type { Config } from './config/config.js';
import { findRunningEmbeddedPostgres } from './embedded-postgres/find-running.js';
import { startEmbeddedPostgres } from './embedded-postgres/start-postgres.js';

export type Database = {
  url: string;
  /** Resolves if a server that this process started ends unexpectedly; never resolves for other servers. */
  lost: Promise<string>;
  close(): Promise<void>;
};

type Options = { onProgress: (message: string) => void };

/** The database of an engine: DATABASE_URL, or else an embedded server that belongs to this process. */
export async function openDatabase(config: Config, { onProgress }: Options): Promise<Database> {
  if (config.DATABASE_URL) return elsewhere(config.DATABASE_URL);
  const server = await startEmbeddedPostgres({ dataDir: config.DATA_DIR, onProgress });
  let isClosing = false;
  const lost = new Promise<string>(resolve => {
    void server.exited.then(() => {
      if (!isClosing) resolve(`the embedded PostgreSQL has ended; its logs are in ${server.logDir}`);
    });
  });
  return {
    url: server.databaseUrl,
    lost,
    close() {
      isClosing = true;
      return server.stop();
    },
  };
}

/** The database of a tool: as for an engine, but if an engine runs on the same DATA_DIR, the tool uses its server. */
export async function joinDatabase(config: Config, options: Options): Promise<Database> {
  const running = config.DATABASE_URL ? undefined : await findRunningEmbeddedPostgres(config.DATA_DIR);
  return running === undefined ? openDatabase(config, options) : elsewhere(running);
}

function elsewhere(url: string): Database {
  return { url, lost: new Promise(() => {}), close: async () => {} };
}
