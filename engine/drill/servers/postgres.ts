import { startEmbeddedPostgres } from '../../dist/platform/embedded-postgres/start-postgres.js';

/** A PostgreSQL of the caller's own, which may be crashed and started again at the same address. */
export type PostgresServer = {
  url: string;
  /** Immediate stop: no checkpoint, sessions cut; the next start recovers from the log. */
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
      // Gives the data directory free for the next start.
      await server.stop();
    },
    async start() {
      server = await startEmbeddedPostgres({ dataDir, choosePort: async () => port });
    },
    stop: () => server.stop(),
  };
}
