import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findRunningEmbeddedPostgres } from '../src/platform/embedded-postgres/find-running.js';
import { chooseServerUser } from '../src/platform/embedded-postgres/server-user.js';
import { waitUntil } from '../src/platform/embedded-postgres/signals.js';
import { countRows, hasEnded, keepRow, placeForEach, query } from './support/embedded-postgres.js';
import { descendantsOf } from './support/process-table.js';

const place = placeForEach();

test('the server ends within 5 s of kill -9 on the engine, and the next start has its data', async () => {
  const child = place.startChild();
  const orphan = JSON.parse(await child.nextLine());
  await query(orphan.databaseUrl, keepRow);
  await child.kill();
  expect(await waitUntil(() => hasEnded(orphan.pid), 5000)).toBe(true);
  expect(await findRunningEmbeddedPostgres(place.dataDir)).toBeUndefined();
  const { databaseUrl } = await place.start();
  expect(await query(databaseUrl, countRows)).toEqual([{ rows: 1 }]);
}, 60_000);

test("if the server's guardian is killed too, the next start replaces the server and has its data", async () => {
  const child = place.startChild();
  const orphan = JSON.parse(await child.nextLine());
  await query(orphan.databaseUrl, keepRow);
  const guardian = descendantsOf(child.pid).find(({ command }) => command.includes('doorbuster-guardian'));
  process.kill(guardian?.pid ?? Number.NaN, 'SIGKILL');
  await child.kill();
  expect(await findRunningEmbeddedPostgres(place.dataDir)).toBe(orphan.databaseUrl);
  const { databaseUrl } = await place.start();
  expect(await hasEnded(orphan.pid)).toBe(true);
  expect(await query(databaseUrl, countRows)).toEqual([{ rows: 1 }]);
}, 60_000);

test('after kill -9 on engine and server, the next start recovers the data, even if another process has the pid', async () => {
  const child = place.startChild();
  const { databaseUrl, pid } = JSON.parse(await child.nextLine());
  await query(databaseUrl, keepRow);
  process.kill(pid, 'SIGKILL');
  await child.kill();
  expect(await waitUntil(() => hasEnded(pid), 10_000)).toBe(true);
  // The server would refuse to start next to a live process with this pid and its own uid.
  const pidFile = join(place.dataDir, 'postgres', 'postmaster.pid');
  const bystander = spawn('sleep', ['60'], { ...(await chooseServerUser(join(place.dataDir, 'postgres'))) });
  await once(bystander, 'spawn');
  await writeFile(pidFile, (await readFile(pidFile, 'utf8')).replace(`${pid}`, `${bystander.pid}`));
  const restarted = await place.start();
  expect(await query(restarted.databaseUrl, countRows)).toEqual([{ rows: 1 }]);
  expect(place.messages).toContainEqual(expect.stringContaining('recovering after a crash'));
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
  bystander.kill('SIGKILL');
}, 60_000);

test('the next start repeats an initdb that was killed halfway', async () => {
  const child = place.startChild();
  const isUnderWay = async () => {
    const names = await readdir(place.dataDir, { recursive: true }).catch(() => []);
    return names.some(name => name.endsWith('PG_VERSION'));
  };
  expect(await waitUntil(isUnderWay, 30_000)).toBe(true);
  await child.kill();
  await expect(stat(join(place.dataDir, 'postgres'))).rejects.toMatchObject({ code: 'ENOENT' });
  const { databaseUrl } = await place.start();
  expect(await query(databaseUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  expect((await readdir(place.dataDir)).filter(name => name.startsWith('postgres.new-'))).toEqual([]);
}, 60_000);

test('Ctrl-C, which reaches the whole process group, does not stop the server before the engine does', async () => {
  const child = place.startChild();
  const { databaseUrl } = JSON.parse(await child.nextLine());
  process.kill(-child.pid, 'SIGINT');
  expect(await child.nextLine()).toBe('"interrupted"');
  expect(await query(databaseUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  await child.finish();
}, 60_000);
