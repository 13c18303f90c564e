import { once } from 'node:events';
import { chmod, mkdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findFreePort } from '../drill/servers/free-port.js';
import { portOf } from '../drill/servers/port-of.js';
import { findRunningEmbeddedPostgres } from '../src/platform/embedded-postgres/find-running.js';
import { startEmbeddedPostgres } from '../src/platform/embedded-postgres/start-postgres.js';
import { countRows, isRoot, keepRow, placeForEach, query } from './support/embedded-postgres.js';

const place = placeForEach();

test('a server is durable and private, can be found by tools while it runs, and keeps its data across a stop', async () => {
  const first = await place.start();
  await query(first.databaseUrl, keepRow);
  const [settings] = await query(
    first.databaseUrl,
    `select current_setting('fsync') fsync, current_setting('synchronous_commit') commit, current_user::text who,
            current_setting('full_page_writes') pages, current_setting('timezone') tz, current_database()::text db,
            current_setting('listen_addresses') host, current_setting('server_encoding') encoding`,
  );
  const expected = { fsync: 'on', commit: 'on', pages: 'on', tz: 'UTC', encoding: 'UTF8' };
  expect(settings).toEqual({ ...expected, host: '127.0.0.1', who: 'doorbuster', db: 'doorbuster' });
  expect(await findRunningEmbeddedPostgres(place.dataDir)).toBe(first.databaseUrl);
  for (const name of ['database-url', 'postgres-password']) {
    expect((await stat(join(place.dataDir, name))).mode & 0o777).toBe(0o600);
  }
  await Promise.all([first.stop(), first.stop()]);
  expect(await first.exited).toEqual({ exitCode: 0, signal: null });
  expect(await findRunningEmbeddedPostgres(place.dataDir)).toBeUndefined();
  const second = await place.start();
  expect(await query(second.databaseUrl, countRows)).toEqual([{ rows: 1 }]);
  expect(place.messages.filter(message => message.includes('crash'))).toEqual([]);
}, 60_000);

test('a server refuses a wrong password', async () => {
  const { databaseUrl } = await place.start();
  const wrong = query(databaseUrl.replace(/:[^:@]+@/, ':guess@'), 'select 1');
  await expect(wrong).rejects.toMatchObject({ code: '28P01' });
}, 60_000);

test('of three simultaneous first starts, one succeeds and the others name its process', async () => {
  const contenders = [place.startChild(), place.startChild(), place.startChild()];
  const answers = await Promise.all(contenders.map(async child => JSON.parse(await child.nextLine())));
  const winner = contenders[answers.findIndex(answer => answer.databaseUrl !== undefined)];
  const losers = answers.filter(answer => answer.code === 'DATA_DIR_IN_USE');
  expect(losers).toHaveLength(2);
  for (const loser of losers) expect(loser.message).toContain(`process ${winner?.pid} `);
  await winner?.finish();
}, 60_000);

test('a start replaces a port that is taken, and the engine notices if the server dies', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const taken = portOf(squatter.address());
  const ports = [taken, taken];
  const server = await place.start(async () => ports.pop() ?? findFreePort());
  expect(server.port).not.toBe(taken);
  squatter.close();
  process.kill(server.pid, 'SIGKILL');
  expect(await server.exited).toEqual({ exitCode: null, signal: 'SIGKILL' });
  await server.stop();
  await place.start();
}, 60_000);

test('a server that cannot start fails at once and reports the end of its log', async () => {
  await (await place.start()).stop();
  await writeFile(join(place.dataDir, 'postgres', 'pg_hba.conf'), 'nonsense\n');
  const startedAt = Date.now();
  const message = expect.stringContaining('could not load');
  await expect(place.start()).rejects.toMatchObject({ code: 'START_FAILED', message });
  expect(Date.now() - startedAt).toBeLessThan(10_000);
}, 60_000);

test('a start replaces a lost password and refuses a cluster of another major version', async () => {
  const first = await place.start();
  await query(first.databaseUrl, keepRow);
  await first.stop();
  await rm(join(place.dataDir, 'postgres-password'));
  const second = await place.start();
  expect(second.databaseUrl).not.toContain(new URL(first.databaseUrl).password);
  expect(await query(second.databaseUrl, countRows)).toEqual([{ rows: 1 }]);
  await second.stop();
  await writeFile(join(place.dataDir, 'postgres', 'PG_VERSION'), '16\n');
  const message = expect.stringMatching(/PostgreSQL 16; .* 18/);
  await expect(place.start()).rejects.toMatchObject({ code: 'VERSION_MISMATCH', message });
}, 60_000);

test.runIf(isRoot)(
  'if the server cannot enter DATA_DIR, its cluster is stored elsewhere, found again and never replaced',
  async () => {
    await chmod(place.parentDir, 0o700);
    const first = await place.start();
    const homeDir = join(first.clusterDir, '..');
    try {
      expect(first.clusterDir).toMatch(/^\/var\/lib\/doorbuster\//);
      expect(place.messages).toContainEqual(expect.stringContaining(homeDir));
      await query(first.databaseUrl, keepRow);
      expect(await findRunningEmbeddedPostgres(place.dataDir)).toBe(first.databaseUrl);
      // A copy of DATA_DIR names the same cluster, and must not take it from the running engine.
      const copy = join(place.parentDir, 'copy');
      await mkdir(copy);
      await writeFile(join(copy, 'postgres-location'), `${homeDir}\n`);
      await expect(startEmbeddedPostgres({ dataDir: copy })).rejects.toMatchObject({
        code: 'DATA_DIR_IN_USE',
      });
      await first.stop();
      const second = await place.start();
      expect(await query(second.databaseUrl, countRows)).toEqual([{ rows: 1 }]);
      await second.stop();
    } finally {
      await rm(homeDir, { recursive: true, force: true });
      await rmdir(join(homeDir, '..')).catch(() => {}); // Succeeds only if the directory is empty.
    }
    await expect(place.start()).rejects.toMatchObject({ code: 'CLUSTER_MISSING' });
  },
  60_000,
);

test('a start refuses a directory whose files are not a cluster', async () => {
  await mkdir(join(place.dataDir, 'postgres', 'precious'), { recursive: true });
  if (!isRoot) await chmod(place.dataDir, 0o700);
  await expect(place.start()).rejects.toMatchObject({ code: 'CLUSTER_BROKEN' });
});
