import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError, unlessMissing } from './postgres-errors.js';
import type { ServerUser } from './run.js';
import { canEnter, chooseServerUser } from './server-user.js';

export type ClusterLocation = {
  /** Contains the cluster, or the unfinished one while initdb runs. */
  homeDir: string;
  clusterDir: string;
  user: ServerUser | undefined;
};

/** Where root keeps files that an unprivileged user must reach. Not a temporary directory, because those are emptied. */
export const systemDir = '/var/lib/doorbuster';

const pointerName = 'postgres-location';

/**
 * Chooses where the cluster lies: inside DATA_DIR, unless root starts the engine on a directory that the server's user
 * cannot enter (below /root, for example). Then it lies below /var/lib/doorbuster, and a file in DATA_DIR points later
 * starts there.
 */
export async function locateCluster(
  dataDir: string,
  onProgress: (message: string) => void,
): Promise<ClusterLocation> {
  const elsewhere = await readPointer(dataDir);
  if (elsewhere !== undefined) return locatedIn(elsewhere);
  const inside = await locatedIn(dataDir);
  if (inside.user === undefined || (await canEnter(inside.user, dataDir))) return inside;
  if ((await unlessMissing(stat(inside.clusterDir))) !== undefined) throw unreachable(dataDir, inside.user);
  return locatedIn(await createHomeElsewhere(dataDir, onProgress));
}

/** Creates DATA_DIR if needed; returns its real path. Other users can pass through root's, because one runs the server. */
export async function prepareDataDir(dataDir: string): Promise<string> {
  try {
    const created = await mkdir(dataDir, { recursive: true, mode: 0o755 });
    if (created !== undefined) await chmod(dataDir, process.geteuid?.() === 0 ? 0o711 : 0o700);
    return await realpath(dataDir);
  } catch (cause) {
    throw new EmbeddedPostgresError('DATA_DIR_UNUSABLE', `The data directory ${dataDir} cannot be created.`, {
      remedy: 'Create it and make it writable for the engine, or set DATA_DIR to another directory.',
      cause,
    });
  }
}

/** Every user can enter it, even if the umask is 077. An existing directory is not changed. */
export async function makeOpenDirectory(path: string): Promise<void> {
  const created = await mkdir(path, { recursive: true });
  if (created !== undefined) await chmod(path, 0o755);
}

async function locatedIn(homeDir: string): Promise<ClusterLocation> {
  const clusterDir = join(homeDir, 'postgres');
  return { homeDir, clusterDir, user: await chooseServerUser(clusterDir) };
}

async function readPointer(dataDir: string): Promise<string | undefined> {
  const path = join(dataDir, pointerName);
  const homeDir = (await unlessMissing(readFile(path, 'utf8')))?.split('\n')[0]?.trim();
  if (homeDir === undefined) return undefined;
  // Silently replacing a lost database with an empty one would look like lost orders, so this needs an operator.
  const found = homeDir === '' ? undefined : await unlessMissing(stat(homeDir));
  if (found?.isDirectory()) return realpath(homeDir);
  throw new EmbeddedPostgresError(
    'CLUSTER_MISSING',
    `${path} names the directory "${homeDir}", which no longer exists.`,
    {
      remedy: `Restore it, or delete ${path} to start with an empty database.`,
    },
  );
}

async function createHomeElsewhere(dataDir: string, onProgress: (message: string) => void): Promise<string> {
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  try {
    await makeOpenDirectory(systemDir);
    // The cluster of a deleted data directory with this name may still exist. It is reported, never adopted or deleted.
    for (const name of await readdir(systemDir)) {
      if (name.startsWith(`${hash}-`))
        onProgress(`${join(systemDir, name)} is left over from an earlier ${dataDir}`);
    }
    const homeDir = await mkdtemp(join(systemDir, `${hash}-`));
    await chmod(homeDir, 0o711);
    await writeFile(join(homeDir, 'belongs-to'), `${dataDir}\n`);
    const note = 'The PostgreSQL cluster is there because the user that runs it cannot enter this directory.';
    await writeFile(join(dataDir, pointerName), `${homeDir}\n${note}\n`);
    onProgress(`the database is in ${homeDir}, because the server's user cannot enter ${dataDir}`);
    return homeDir;
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'DATA_DIR_UNREACHABLE',
      `The database cannot be created in ${systemDir}.`,
      {
        remedy: 'Set DATA_DIR to a directory that every user can pass through, such as /srv/doorbuster.',
        cause,
      },
    );
  }
}

function unreachable(dataDir: string, user: ServerUser): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'DATA_DIR_UNREACHABLE',
    `The user with uid ${user.uid}, who owns the database in ${dataDir}, can no longer enter that directory.`,
    {
      remedy:
        'Let other users pass through it and its parents (chmod o+x), or move it back to its previous location.',
    },
  );
}
