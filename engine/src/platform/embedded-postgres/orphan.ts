import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError, unlessMissing } from './postgres-errors.js';
import { isPostgresOf, processStart } from './process-identity.js';
import { shutDown } from './signals.js';

/**
 * Stops the server that a killed engine left running. It is not adopted: its port and settings may be those of another
 * engine version, and a start takes half a second. The caller holds the data directory's lock, so a server that runs
 * here has no engine. Returns whether the last server ended without a clean shutdown.
 */
export async function stopOrphan(
  clusterDir: string,
  onProgress: (message: string) => void,
): Promise<{ crashed: boolean }> {
  const path = join(clusterDir, 'postmaster.pid');
  const pid = await readPid(path);
  if (pid === undefined) return { crashed: false };
  if (await isPostgresOf(pid, clusterDir)) {
    onProgress(`stopping the PostgreSQL server (process ${pid}) that an engine left behind`);
    const stopped = await shutDown(pid, async () => !(await isPostgresOf(pid, clusterDir)));
    if (!stopped) throw unstoppable(pid);
  } else if ((await processStart(pid)) !== undefined) {
    await disarm(path);
  }
  return { crashed: (await unlessMissing(stat(path))) !== undefined };
}

async function readPid(path: string): Promise<number | undefined> {
  const line = (await unlessMissing(readFile(path, 'utf8')))?.split('\n')[0];
  // A standalone backend writes its pid as a negative number.
  const pid = Math.abs(Number.parseInt(line ?? '', 10));
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

/**
 * After a crash the recorded pid may belong to an unrelated process, as is usual in containers, where pids restart at 1.
 * The server would take that process for another server and refuse to start. It ignores its parent's pid, which is ours,
 * so this writes our pid instead. Deleting the file would also delete the key of the shared memory, by which the server
 * detects sessions of the previous server that are still running.
 */
async function disarm(path: string): Promise<void> {
  const [, ...rest] = (await readFile(path, 'utf8')).split('\n');
  await writeFile(path, [`${process.pid}`, ...rest].join('\n'));
}

function unstoppable(pid: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'ORPHAN_UNSTOPPABLE',
    `The PostgreSQL server that an engine left behind (process ${pid}) does not stop.`,
    { remedy: `Stop it as its owner or as root (kill -QUIT ${pid}) and start again.`, retryable: true },
  );
}
