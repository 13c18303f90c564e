import { readFile, stat } from 'node:fs/promises';
import { EmbeddedPostgresError, unlessMissing } from './postgres-errors.js';
import { run, type ServerUser } from './run.js';

/**
 * The user that the server must run as; undefined for our own user. PostgreSQL refuses to run as root, so root runs it
 * as the cluster's owner, or else as an account that exists on nearly every system.
 */
export async function chooseServerUser(clusterDir: string): Promise<ServerUser | undefined> {
  const ownUid = process.geteuid?.();
  if (ownUid === undefined) return undefined; // Windows has no uid.
  const owner = await unlessMissing(stat(clusterDir));
  if (ownUid !== 0) {
    if (owner !== undefined && owner.uid !== ownUid) throw ownedByAnother(clusterDir, owner.uid);
    return undefined;
  }
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return findUnprivilegedUser();
}

/** Whether that user can enter the directory. A real attempt decides, because modes miss ACLs and mount options. */
export async function canEnter(user: ServerUser, directory: string): Promise<boolean> {
  const attempt = run('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], {
    user,
    cwd: '/',
    timeoutMs: 10_000,
  });
  return (await attempt).exitCode === 0;
}

async function findUnprivilegedUser(): Promise<ServerUser> {
  const passwd = (await unlessMissing(readFile('/etc/passwd', 'utf8'))) ?? '';
  const accounts = passwd.split('\n').map(line => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const account = accounts.find(([name]) => name === wanted);
    const uid = Number(account?.[2]);
    const gid = Number(account?.[3]);
    if (Number.isInteger(uid) && Number.isInteger(gid) && uid !== 0) return { uid, gid };
  }
  throw new EmbeddedPostgresError(
    'NO_UNPRIVILEGED_USER',
    'PostgreSQL does not run as root, and this system has neither a user "postgres" nor a user "nobody".',
    { remedy: 'Start the engine as an ordinary user, or set DATABASE_URL to your own PostgreSQL server.' },
  );
}

function ownedByAnother(clusterDir: string, uid: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'CLUSTER_OF_ANOTHER_USER',
    `The database in ${clusterDir} belongs to the user with uid ${uid}.`,
    { remedy: 'Start the engine as that user or as root, or set DATA_DIR to another directory.' },
  );
}
