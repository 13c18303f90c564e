import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError, unlessMissing } from './postgres-errors.js';
import { isPostgresOf, processStart } from './process-identity.js';
import { shutDown } from './signals.js';

/**
 * Stops the server that an engine left running when it was killed. It is not adopted: its port and settings are those
 * of another engine version, perhaps, and a start takes half a second. The caller holds the data directory's lock, so
 * whatever runs here has no engine. Answers whether the last server ended without a clean shutdown.
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
 * After a crash the recorded pid may belong to an unrelated process, usual in containers where pids start at 1 again;
 * the server would take it for a rival and refuse to start. It ignores its own parent's pid, which is ours, so that is
 * written in its place. Deleting the file would also delete the key of the shared memory, by which the server
 * notices sessions of the former server that still run.
 */
async function disarm(path: string): Promise<void> {
  const [, ...rest] = (await readFile(path, 'utf8')).split('\n');
  await writeFile(path, [`${process.pid}`, ...rest].join('\n'));
}

function unstoppable(pid: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'ORPHAN_UNSTOPPABLE',
    `The PostgreSQL server with process id ${pid}, left behind by an engine, does not stop.`,
    { remedy: `Stop it as its owner or as root (kill -QUIT ${pid}) and start again.`, retryable: true },
  );
}
