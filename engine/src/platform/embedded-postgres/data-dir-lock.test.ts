import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Child, runChild } from '../../../test/children/run-child.js';
import { acquireDataDirLock } from './data-dir-lock.js';

let dataDir = '';
const children: Child[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'doorbuster lock '));
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(child => child.kill()));
  await rm(dataDir, { recursive: true, force: true });
});

/** Children that have loaded everything and wait for the signal to compete. */
async function gatherContenders(count: number): Promise<Child[]> {
  const contenders = Array.from({ length: count }, () => runChild('hold-lock.ts', dataDir));
  children.push(...contenders);
  for (const contender of contenders) await contender.nextLine();
  return contenders;
}

async function compete(contenders: Child[]): Promise<string[]> {
  for (const contender of contenders) contender.writeLine('go');
  return Promise.all(contenders.map(contender => contender.nextLine()));
}

test('of 8 processes that find the lock of a killed owner, exactly one takes it over, ten times in a row', async () => {
  const [first] = await gatherContenders(1);
  if (first === undefined) throw new Error('no child');
  expect(await compete([first])).toEqual(['won']);
  await first.kill();
  const contenders = await gatherContenders(8);
  for (let round = 0; round < 10; round++) {
    // Each round finds the locks of the previous winners, which are killed below.
    const answers = await compete(contenders);
    expect(answers.toSorted(), `round ${round}`).toEqual([...Array(7).fill('DATA_DIR_IN_USE'), 'won']);
    const [winner] = contenders.splice(answers.indexOf('won'), 1);
    await winner?.kill();
    contenders.push(...(await gatherContenders(1)));
  }
  await Promise.all(contenders.map(contender => contender.kill()));
  await (await acquireDataDirLock(dataDir)).release();
  expect(await readdir(dataDir)).toEqual([]);
}, 120_000);

test('the refusal names the owner and the remedy', async () => {
  const lock = await acquireDataDirLock(dataDir);
  await expect(acquireDataDirLock(dataDir)).rejects.toMatchObject({
    code: 'DATA_DIR_IN_USE',
    message: expect.stringContaining(`process ${process.pid} `),
    remedy: expect.stringContaining('DATA_DIR'),
  });
  await lock.release();
});

test('a process that reuses the pid of the dead owner is not mistaken for it', async () => {
  const lock = await acquireDataDirLock(dataDir);
  const path = join(dataDir, 'postgres.lock.1');
  const owner = JSON.parse(await readFile(path, 'utf8'));
  await lock.release();
  await writeFile(path, JSON.stringify({ ...owner, startedAt: 'long ago' }));
  await (await acquireDataDirLock(dataDir)).release();
  // Negative control: with the true start time, the same file belongs to a live owner.
  await writeFile(path, JSON.stringify(owner));
  await expect(acquireDataDirLock(dataDir)).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
});

test('an owner whose pid is not visible from here holds the lock as long as it sends heartbeats', async () => {
  const path = join(dataDir, 'postgres.lock.4');
  const owner = { pid: process.pid, startedAt: 'x', pidSpace: 'another container', token: 'theirs' };
  await writeFile(path, JSON.stringify(owner));
  const heartbeat = setInterval(() => utimes(path, new Date(), new Date()), 500);
  await expect(acquireDataDirLock(dataDir)).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
  clearInterval(heartbeat);
  await (await acquireDataDirLock(dataDir)).release();
  expect(await readdir(dataDir)).toEqual([]);
}, 30_000);

test('a lock file that a power cut left empty locks out no process', async () => {
  await writeFile(join(dataDir, 'postgres.lock.1'), '');
  await (await acquireDataDirLock(dataDir)).release();
  expect(await readdir(dataDir)).toEqual([]);
});
