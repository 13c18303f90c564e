import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerUser } from '../../dist/platform/embedded-postgres/run.js';
import type { HaPrograms } from './ha-programs.js';
import { type LaunchedServer, launch } from './server-process.js';

export type PatroniNode = {
  name: string;
  port: number;
  /** The port at which Patroni reports the role of its server. */
  restPort: number;
  start(): void;
  /** kill -9 of Patroni and its PostgreSQL. */
  kill(): Promise<void>;
  /** Whether the server has the role, as far as its Patroni knows. */
  is(role: 'primary' | 'sync'): Promise<boolean>;
};

export type NodeOptions = {
  name: string;
  port: number;
  restPort: number;
  directory: string;
  programs: HaPrograms;
  user: ServerUser | undefined;
  etcdUrl: string;
};

/** Visible only on this machine, and only for the time of a drill. */
export const superuserPassword = 'drill-superuser';

const askTimeoutMs = 1000;

/** One server with its Patroni, which creates its data directory, starts it, and makes it follow or lead. */
export async function createNode(options: NodeOptions): Promise<PatroniNode> {
  const { name, port, restPort, directory, programs, user } = options;
  const file = join(directory, `${name}.json`);
  // Patroni reads YAML, and JSON is a subset of it.
  await writeFile(file, JSON.stringify(settingsOf(options)), { mode: 0o644 });
  let patroni: LaunchedServer | undefined;
  const killServer = () => killPostmaster(join(directory, name));
  return {
    name,
    port,
    restPort,
    start() {
      patroni = launch(programs.patroni, [file], user);
      process.once('exit', killServer);
    },
    async kill() {
      // Patroni first, because it would restart PostgreSQL.
      await patroni?.kill();
      killServer();
      process.off('exit', killServer);
    },
    async is(role) {
      const signal = AbortSignal.timeout(askTimeoutMs);
      const answer = await fetch(`http://127.0.0.1:${restPort}/${role}`, { signal }).catch(() => undefined);
      return answer?.status === 200;
    },
  };
}

function settingsOf({ name, port, restPort, directory, programs, etcdUrl }: NodeOptions) {
  const [address, restAddress] = [`127.0.0.1:${port}`, `127.0.0.1:${restPort}`];
  const superuser = { username: 'postgres', password: superuserPassword };
  return {
    scope: 'drill',
    name,
    restapi: { listen: restAddress, connect_address: restAddress },
    etcd3: { host: new URL(etcdUrl).host },
    bootstrap: {
      // The smallest values that Patroni accepts: a lost leader is replaced after `ttl`. See docs/high-availability.md.
      dcs: {
        ttl: 20,
        loop_wait: 2,
        retry_timeout: 5,
        master_start_timeout: 0,
        synchronous_mode: true,
        postgresql: {
          use_pg_rewind: true,
          parameters: { max_connections: 120, unix_socket_directories: '', wal_log_hints: 'on' },
        },
      },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C' }, 'data-checksums'],
      pg_hba: ['all', 'replication'].map(database => `host ${database} all 127.0.0.1/32 scram-sha-256`),
    },
    postgresql: {
      listen: address,
      connect_address: address,
      bin_dir: programs.postgresBin,
      data_dir: join(directory, name),
      pgpass: join(directory, `${name}.pgpass`),
      authentication: {
        superuser,
        rewind: superuser,
        replication: { username: 'replicator', password: 'drill-replicator' },
      },
    },
  };
}

/** PostgreSQL does not end with its Patroni. Its children end by themselves when the postmaster has ended. */
function killPostmaster(dataDirectory: string): void {
  try {
    const pid = Number.parseInt(readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8'), 10);
    if (pid > 1) process.kill(pid, 'SIGKILL');
  } catch {
    // It was not started, or has already ended.
  }
}
