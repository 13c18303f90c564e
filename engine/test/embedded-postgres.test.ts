import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { portOf } from '../drill/servers/fault-proxy.js';
import { findFreePort } from '../drill/servers/free-port.js';
import { findRunningEmbeddedPostgres } from '../src/platform/embedded-postgres/find-running.js';
import { isPostgresOf, processStart } from '../src/platform/embedded-postgres/process-identity.js';
import { chooseServerUser } from '../src/platform/embedded-postgres/server-user.js';
import { waitUntil } from '../src/platform/embedded-postgres/signals.js';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../src/platform/embedded-postgres/start-postgres.js';
import { type Child, runChild } from './children/run-child.js';
import { descendantsOf } from './support/process-table.js';

const isRoot = process.geteuid?.() === 0;
let parentDir = '';
let dataDir = '';
const messages: string[] = [];
const servers: EmbeddedPostgres[] = [];
const children: Child[] = [];

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
  const pid = Number.parseInt(await readFile(join(clusterDir, 'postmaster.pid'), 'utf8').catch(() => ''), 10);
  if (pid > 0 && (await isPostgresOf(pid, clusterDir))) process.kill(pid, 'SIGQUIT');
  await rm(parentDir, { recursive: true, force: true, maxRetries: 5 });
});

async function start(choosePort?: () => Promise<number>): Promise<EmbeddedPostgres> {
  const onProgress = (message: string) => messages.push(message);
  const server = await startEmbeddedPostgres({ dataDir, onProgress, ...(choosePort && { choosePort }) });
  servers.push(server);
  return server;
}

function startChild(): Child {
  const child = runChild('start-postgres.ts', dataDir);
  children.push(child);
  return child;
}

async function query(databaseUrl: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const keepRow = 'create table kept (id int primary key); insert into kept values (1)';
const countRows = 'select count(*)::int as rows from kept';

const hasEnded = async (pid: number) => (await processStart(pid)) === undefined;

test('a server is durable, private, found by tools while it runs, and keeps its data across a stop', async () => {
  const first = await start();
  await query(first.databaseUrl, keepRow);
  const [settings] = await query(
    first.databaseUrl,
    `select current_setting('fsync') fsync, current_setting('synchronous_commit') commit, current_user::text who,
            current_setting('full_page_writes') pages, current_setting('timezone') tz, current_database()::text db,
            current_setting('listen_addresses') host, current_setting('server_encoding') encoding`,
  );
  const expected = { fsync: 'on', commit: 'on', pages: 'on', tz: 'UTC', encoding: 'UTF8' };
  expect(settings).toEqual({ ...expected, host: '127.0.0.1', who: 'doorbuster', db: 'doorbuster' });
  expect(await findRunningEmbeddedPostgres(dataDir)).toBe(first.databaseUrl);
  for (const name of ['database-url', 'postgres-password']) {
    expect((await stat(join(dataDir, name))).mode & 0o777).toBe(0o600);
  }
  await Promise.all([first.stop(), first.stop()]);
  expect(await first.exited).toEqual({ exitCode: 0, signal: null });
  expect(await findRunningEmbeddedPostgres(dataDir)).toBeUndefined();
  const second = await start();
  expect(await query(second.databaseUrl, countRows)).toEqual([{ rows: 1 }]);
  expect(messages.filter(message => message.includes('crash'))).toEqual([]);
}, 60_000);

test('a wrong password is refused', async () => {
  const { databaseUrl } = await start();
  const wrong = query(databaseUrl.replace(/:[^:@]+@/, ':guess@'), 'select 1');
  await expect(wrong).rejects.toMatchObject({ code: '28P01' });
}, 60_000);

test('of three first starts at the same time one wins and the others name it', async () => {
  const contenders = [startChild(), startChild(), startChild()];
  const answers = await Promise.all(contenders.map(async child => JSON.parse(await child.nextLine())));
  const winner = contenders[answers.findIndex(answer => answer.databaseUrl !== undefined)];
  const losers = answers.filter(answer => answer.code === 'DATA_DIR_IN_USE');
  expect(losers).toHaveLength(2);
  for (const loser of losers) expect(loser.message).toContain(`process ${winner?.pid} `);
  await winner?.finish();
}, 60_000);

test('5 s after kill -9 of the engine its server has ended, and the next start has its data', async () => {
  const child = startChild();
  const orphan = JSON.parse(await child.nextLine());
  await query(orphan.databaseUrl, keepRow);
  await child.kill();
  expect(await waitUntil(() => hasEnded(orphan.pid), 5000)).toBe(true);
  expect(await findRunningEmbeddedPostgres(dataDir)).toBeUndefined();
  const { databaseUrl } = await start();
  expect(await query(databaseUrl, countRows)).toEqual([{ rows: 1 }]);
}, 60_000);

test('where the guardian of the server was killed too, the next start replaces the server and has its data', async () => {
  const child = startChild();
  const orphan = JSON.parse(await child.nextLine());
  await query(orphan.databaseUrl, keepRow);
  const guardian = descendantsOf(child.pid).find(({ command }) => command.includes('doorbuster-guardian'));
  process.kill(guardian?.pid ?? Number.NaN, 'SIGKILL');
  await child.kill();
  expect(await findRunningEmbeddedPostgres(dataDir)).toBe(orphan.databaseUrl);
  const { databaseUrl } = await start();
  expect(await hasEnded(orphan.pid)).toBe(true);
  expect(await query(databaseUrl, countRows)).toEqual([{ rows: 1 }]);
}, 60_000);

test('after kill -9 of engine and server the data are recovered, though another process has its pid', async () => {
  const child = startChild();
  const { databaseUrl, pid } = JSON.parse(await child.nextLine());
  await query(databaseUrl, keepRow);
  process.kill(pid, 'SIGKILL');
  await child.kill();
  expect(await waitUntil(() => hasEnded(pid), 10_000)).toBe(true);
  // The server would refuse to start next to a live process with this pid and its own uid.
  const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
  const bystander = spawn('sleep', ['60'], { ...(await chooseServerUser(join(dataDir, 'postgres'))) });
  await once(bystander, 'spawn');
  await writeFile(pidFile, (await readFile(pidFile, 'utf8')).replace(`${pid}`, `${bystander.pid}`));
  const restarted = await start();
  expect(await query(restarted.databaseUrl, countRows)).toEqual([{ rows: 1 }]);
  expect(messages).toContainEqual(expect.stringContaining('recovering after a crash'));
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
  bystander.kill('SIGKILL');
}, 60_000);

test('initdb that was killed half way is done again', async () => {
  const child = startChild();
  const isUnderWay = async () => {
    const names = await readdir(dataDir, { recursive: true }).catch(() => []);
    return names.some(name => name.endsWith('PG_VERSION'));
  };
  expect(await waitUntil(isUnderWay, 30_000)).toBe(true);
  await child.kill();
  await expect(stat(join(dataDir, 'postgres'))).rejects.toMatchObject({ code: 'ENOENT' });
  const { databaseUrl } = await start();
  expect(await query(databaseUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  expect((await readdir(dataDir)).filter(name => name.startsWith('postgres.new-'))).toEqual([]);
}, 60_000);

test('Ctrl-C, which reaches the whole process group, leaves the server to the engine', async () => {
  const child = startChild();
  const { databaseUrl } = JSON.parse(await child.nextLine());
  process.kill(-child.pid, 'SIGINT');
  expect(await child.nextLine()).toBe('"interrupted"');
  expect(await query(databaseUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  await child.finish();
}, 60_000);

test('a taken port is replaced by another, and a server that dies is noticed', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const taken = portOf(squatter.address());
  const ports = [taken, taken];
  const server = await start(async () => ports.pop() ?? findFreePort());
  expect(server.port).not.toBe(taken);
  squatter.close();
  process.kill(server.pid, 'SIGKILL');
  expect(await server.exited).toEqual({ exitCode: null, signal: 'SIGKILL' });
  await server.stop();
  await start();
}, 60_000);

test('a server that does not come up fails at once with its last words', async () => {
  await (await start()).stop();
  await writeFile(join(dataDir, 'postgres', 'pg_hba.conf'), 'nonsense\n');
  const startedAt = Date.now();
  const message = expect.stringContaining('could not load');
  await expect(start()).rejects.toMatchObject({ code: 'START_FAILED', message });
  expect(Date.now() - startedAt).toBeLessThan(10_000);
}, 60_000);

test('a lost password is replaced; a cluster of another major version is refused', async () => {
  const first = await start();
  await query(first.databaseUrl, keepRow);
  await first.stop();
  await rm(join(dataDir, 'postgres-password'));
  const second = await start();
  expect(second.databaseUrl).not.toContain(new URL(first.databaseUrl).password);
  expect(await query(second.databaseUrl, countRows)).toEqual([{ rows: 1 }]);
  await second.stop();
  await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '16\n');
  const message = expect.stringMatching(/PostgreSQL 16, .* 18/);
  await expect(start()).rejects.toMatchObject({ code: 'VERSION_MISMATCH', message });
}, 60_000);

test.runIf(isRoot)(
  'a directory closed to the server has its cluster elsewhere, found again and never replaced',
  async () => {
    await chmod(parentDir, 0o700);
    const first = await start();
    const homeDir = join(first.clusterDir, '..');
    try {
      expect(first.clusterDir).toMatch(/^\/var\/lib\/doorbuster\//);
      expect(messages).toContainEqual(expect.stringContaining(homeDir));
      await query(first.databaseUrl, keepRow);
      expect(await findRunningEmbeddedPostgres(dataDir)).toBe(first.databaseUrl);
      // A copy of DATA_DIR names the same cluster, and must not take it from under the engine that runs.
      const copy = join(parentDir, 'copy');
      await mkdir(copy);
      await writeFile(join(copy, 'postgres-location'), `${homeDir}\n`);
      await expect(startEmbeddedPostgres({ dataDir: copy })).rejects.toMatchObject({
        code: 'DATA_DIR_IN_USE',
      });
      await first.stop();
      const second = await start();
      expect(await query(second.databaseUrl, countRows)).toEqual([{ rows: 1 }]);
      await second.stop();
    } finally {
      await rm(homeDir, { recursive: true, force: true });
      await rmdir(join(homeDir, '..')).catch(() => {}); // Only if nothing else lies there.
    }
    await expect(start()).rejects.toMatchObject({ code: 'CLUSTER_MISSING' });
  },
  60_000,
);

test('files that are no cluster are left alone', async () => {
  await mkdir(join(dataDir, 'postgres', 'precious'), { recursive: true });
  if (!isRoot) await chmod(dataDir, 0o700);
  await expect(start()).rejects.toMatchObject({ code: 'CLUSTER_BROKEN' });
});
