import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach } from 'vitest';
import { isPostgresOf, processStart } from '../../src/platform/embedded-postgres/process-identity.js';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../src/platform/embedded-postgres/start-postgres.js';
import { type Child, runChild } from '../children/run-child.js';

/** Where a test runs its embedded server, and how to start one there. */
export type Place = {
  readonly parentDir: string;
  readonly dataDir: string;
  /** The progress that the starts have reported. */
  readonly messages: string[];
  start(choosePort?: () => Promise<number>): Promise<EmbeddedPostgres>;
  /** Starts it from a separate process, which can be killed. */
  startChild(): Child;
};

export const isRoot = process.geteuid?.() === 0;

/** Gives each test of a file its own place, and ends what was started there after the test. */
export function placeForEach(): Place {
  const messages: string[] = [];
  const servers: EmbeddedPostgres[] = [];
  const children: Child[] = [];
  let parentDir = '';
  let dataDir = '';

  beforeEach(async () => {
    parentDir = await mkdtemp(join(tmpdir(), 'doorbuster-pg-'));
    if (isRoot) await chmod(parentDir, 0o711);
    // A space, and longer than the path of a unix socket may be.
    dataDir = join(parentDir, `data dir ${'x'.repeat(120)}`);
    messages.length = 0;
  });

  afterEach(async () => {
    await Promise.all(children.splice(0).map(child => child.kill()));
    await Promise.all(servers.splice(0).map(server => server.stop()));
    const clusterDir = join(dataDir, 'postgres');
    const pid = Number.parseInt(
      await readFile(join(clusterDir, 'postmaster.pid'), 'utf8').catch(() => ''),
      10,
    );
    if (pid > 0 && (await isPostgresOf(pid, clusterDir))) process.kill(pid, 'SIGQUIT');
    await rm(parentDir, { recursive: true, force: true, maxRetries: 5 });
  });

  return {
    get parentDir() {
      return parentDir;
    },
    get dataDir() {
      return dataDir;
    },
    messages,
    async start(choosePort) {
      const onProgress = (message: string) => messages.push(message);
      const server = await startEmbeddedPostgres({ dataDir, onProgress, ...(choosePort && { choosePort }) });
      servers.push(server);
      return server;
    },
    startChild() {
      const child = runChild('start-postgres.ts', dataDir);
      children.push(child);
      return child;
    },
  };
}

export async function query(databaseUrl: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

export const keepRow = 'create table kept (id int primary key); insert into kept values (1)';
export const countRows = 'select count(*)::int as rows from kept';

export const hasEnded = async (pid: number) => (await processStart(pid)) === undefined;
