import { startEmbeddedPostgres } from '../../dist/platform/embedded-postgres/start-postgres.js';

/** A private PostgreSQL that can be crashed and restarted at the same address. */
export type PostgresServer = {
  url: string;
  /** Immediate stop: no checkpoint, all sessions cut. The next start recovers from the WAL. */
  crash(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
};

export async function startPostgres(dataDir: string): Promise<PostgresServer> {
  let server = await startEmbeddedPostgres({ dataDir });
  const { databaseUrl: url, port } = server;
  return {
    url,
    async crash() {
      process.kill(server.pid, 'SIGQUIT');
      await server.exited;
      // Releases the data directory for the next start.
      await server.stop();
    },
    async start() {
      server = await startEmbeddedPostgres({ dataDir, choosePort: async () => port });
    },
    stop: () => server.stop(),
  };
}
