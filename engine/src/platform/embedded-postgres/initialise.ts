import {
  chmod,
  chown,
  lchown,
  lstat,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.js';
import { roleName } from './connection.js';
import type { ClusterLocation } from './location.js';
import { EmbeddedPostgresError, unlessMissing } from './postgres-errors.js';
import { run, type ServerUser } from './run.js';

const unfinishedPrefix = 'postgres.new-';
// About 2 s on a laptop; the bound allows for a very slow disk.
const initdbTimeoutMs = 180_000;

/** Whether a complete cluster exists. Throws if it is unusable, instead of building a new one over it. */
export async function clusterExists({ clusterDir }: ClusterLocation, majorVersion: number): Promise<boolean> {
  const names = (await unlessMissing(readdir(clusterDir))) ?? [];
  if (names.length === 0) return false;
  const version = (await unlessMissing(readFile(join(clusterDir, 'PG_VERSION'), 'utf8')))?.trim();
  if (version === undefined) {
    throw new EmbeddedPostgresError('CLUSTER_BROKEN', `${clusterDir} has files but no PG_VERSION.`, {
      remedy: 'Restore it from a backup, or move it away to start with an empty database.',
    });
  }
  if (version === `${majorVersion}`) return true;
  throw new EmbeddedPostgresError(
    'VERSION_MISMATCH',
    `The database in ${clusterDir} was made by PostgreSQL ${version}; the installed binaries are version ${majorVersion}.`,
    {
      remedy: `Dump it with the engine version that made it and restore it here, or set DATA_DIR to another directory.`,
    },
  );
}

/** Builds the cluster under another name and renames it, so that a cluster with the final name is complete. */
export async function initialiseCluster(
  location: ClusterLocation,
  binaries: Binaries,
  password: string,
): Promise<void> {
  const { homeDir, clusterDir, user } = location;
  await removeUnfinished(homeDir);
  // A fresh name each time: an initdb whose engine was killed may keep writing to the old directory for a second.
  const workDir = await mkdtemp(join(homeDir, unfinishedPrefix));
  await giveTo(user, workDir);
  try {
    await runInitdb(workDir, binaries, user, password);
    await runSingleUser(join(workDir, 'data'), binaries, user, `create database ${roleName}`);
    await rename(join(workDir, 'data'), clusterDir);
    await syncDirectory(homeDir);
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

/** For a cluster whose password file was lost. The server must not be running. */
export function setPassword(location: ClusterLocation, binaries: Binaries, password: string): Promise<void> {
  // Our passwords are base64url, so they need no quoting.
  const sql = `alter role ${roleName} password '${password}'`;
  return runSingleUser(location.clusterDir, binaries, location.user, sql);
}

/** A backup that root restored belongs to root, and the server's user could not read it. */
export async function giveCluster({ clusterDir, user }: ClusterLocation): Promise<void> {
  if (user === undefined || (await lstat(clusterDir)).uid === user.uid) return;
  await chmod(clusterDir, 0o700);
  const paths = await readdir(clusterDir, { recursive: true });
  // The directory itself comes last: its owner shows whether this was finished.
  for (const path of [...paths, '.']) await lchown(join(clusterDir, path), user.uid, user.gid);
}

async function runInitdb(
  workDir: string,
  binaries: Binaries,
  user: ServerUser | undefined,
  password: string,
): Promise<void> {
  const passwordFile = join(workDir, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await giveTo(user, passwordFile);
  const args = [
    ...['-D', join(workDir, 'data'), '--username', roleName, '--pwfile', passwordFile],
    ...['--auth-host', 'scram-sha-256', '--auth-local', 'scram-sha-256', '--encoding', 'UTF8'],
    // PostgreSQL's own collation sorts the same on every system, so the indexes of a copied data directory stay valid.
    ...['--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
  ];
  const result = await run(binaries.initdb, args, { user, cwd: workDir, timeoutMs: initdbTimeoutMs });
  if (result.exitCode !== 0) throw initdbFailed(workDir, `${result.stdout}\n${result.stderr}`);
}

async function runSingleUser(
  clusterDir: string,
  binaries: Binaries,
  user: ServerUser | undefined,
  sql: string,
): Promise<void> {
  const result = await run(binaries.postgres, ['--single', '-D', clusterDir, 'postgres'], {
    user,
    cwd: clusterDir,
    timeoutMs: initdbTimeoutMs,
    input: `${sql}\n`,
  });
  // In this mode PostgreSQL continues after a failed statement and still exits 0.
  const failed = result.exitCode !== 0 || /\b(ERROR|FATAL|PANIC):/.test(result.stderr);
  if (failed) throw initdbFailed(clusterDir, result.stderr);
}

/** Removes the leftovers of an engine that was killed during initdb. */
async function removeUnfinished(homeDir: string): Promise<void> {
  for (const name of await readdir(homeDir)) {
    if (!name.startsWith(unfinishedPrefix)) continue;
    // A dying initdb may still add files; the next start removes what remains.
    await rm(join(homeDir, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}

async function giveTo(user: ServerUser | undefined, path: string): Promise<void> {
  if (user !== undefined) await chown(path, user.uid, user.gid);
}

/** Makes the rename survive a power cut. Windows cannot open directories and does not need this. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function initdbFailed(path: string, output: string): EmbeddedPostgresError {
  const lines = output.trim().split('\n').slice(-15).join('\n');
  return new EmbeddedPostgresError(
    'INITDB_FAILED',
    `The database in ${path} could not be created:\n${lines}\n`,
    {
      remedy:
        'Check free space and permissions of DATA_DIR, or set DATABASE_URL to your own PostgreSQL server.',
      retryable: true,
    },
  );
}
