import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { codeOf } from '../errors.js';
import { EmbeddedPostgresError, unlessMissing } from './postgres-errors.js';
import { isStillRunning, pidSpace, processStart } from './process-identity.js';

export type DataDirLock = { release(): Promise<void> };

const ownerSchema = z.object({
  pid: z.number().int().positive(),
  startedAt: z.string(),
  pidSpace: z.string(),
  token: z.string(),
});
type Owner = z.infer<typeof ownerSchema>;

/** `owner` is undefined for a file that a power cut left unreadable; its writer ended with that power cut. */
type Lock = { path: string; generation: number; owner: Owner | undefined };
type Claim = { path: string; owner: Owner };

const lockName = /^postgres\.lock\.(\d{1,15})$/;
const claimPrefix = 'postgres.lock-claim-';
// A contender gives up as soon as it sees a live owner, so a few dozen rounds of 5 to 50 ms outlast any crowd.
const attemptsMax = 60;
const heartbeatMs = 2000;
// Five heartbeats: a busy event loop may miss one or two. This wait is needed only if the previous owner ran in another
// container.
const silenceMs = 10_000;
// Far longer than any contender needs, so that only claims of killed processes are swept away.
const claimAgeMaxMs = 10 * 60_000;

/**
 * Makes this process the only engine on a data directory; throws DATA_DIR_IN_USE if another engine is running there.
 *
 * Node has no flock, so a lock is a file `postgres.lock.<generation>` made by link(2), which is atomic and fails if the
 * name exists. A dead owner's file is never renamed or reused: two contenders that read the same stale file could each
 * remove the other's fresh one. Instead, contenders link the next generation, which only one of them can do. After
 * linking, a contender checks the other files once more: with an outdated listing it may have linked a name that a
 * previous owner had swept away. It then sees the true owner and withdraws.
 */
export async function acquireDataDirLock(dataDir: string): Promise<DataDirLock> {
  const claim = await writeClaim(dataDir);
  const silentTokens = new Set<string>();
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const path = await tryToOwn(dataDir, claim, silentTokens);
      if (path !== undefined) return holdLock(path, claim.owner.token);
      await delay(5 + Math.random() * 45);
    }
  } finally {
    await rm(claim.path, { force: true });
  }
  throw new EmbeddedPostgresError('DATA_DIR_IN_USE', `Many processes compete for ${dataDir}.`, {
    remedy: 'Start only one engine on a data directory.',
    retryable: true,
  });
}

async function writeClaim(dataDir: string): Promise<Claim> {
  const token = randomUUID();
  const startedAt = (await processStart(process.pid)) ?? '';
  const owner = { pid: process.pid, startedAt, pidSpace: await pidSpace(), token };
  const path = join(dataDir, `${claimPrefix}${token}`);
  // Readable by all users: it holds no secret, and it shows another user who owns the directory.
  const written = writeFile(path, `${JSON.stringify(owner)}\n`, { mode: 0o644, flag: 'wx' });
  await written.catch(cause => Promise.reject(unusable(path, cause)));
  return { path, owner };
}

async function tryToOwn(dataDir: string, claim: Claim, silent: Set<string>): Promise<string | undefined> {
  const before = await listLocks(dataDir);
  for (const lock of before) if (await isLive(lock, silent)) throw inUse(dataDir, lock);
  const newest = before.reduce((highest, lock) => Math.max(highest, lock.generation), 0);
  const path = join(dataDir, `postgres.lock.${newest + 1}`);
  if (!(await linkUnlessTaken(claim.path, path))) return undefined;
  const others = (await listLocks(dataDir)).filter(lock => lock.path !== path);
  for (const lock of others) {
    if (!(await isLive(lock, silent))) continue;
    await unlink(path);
    return undefined;
  }
  await sweep(dataDir, others, claim);
  return path;
}

async function linkUnlessTaken(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw unusable(to, error);
  }
}

function holdLock(path: string, token: string): DataDirLock {
  // Only engines that cannot see our pid read the heartbeat; see isLive.
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, heartbeatMs);
  heartbeat.unref();
  return {
    async release() {
      clearInterval(heartbeat);
      // If this engine was suspended for long, another may have considered it dead and taken the name since.
      const text = await unlessMissing(readFile(path, 'utf8'));
      if (text !== undefined && parseOwner(text)?.token === token) await rm(path, { force: true });
    },
  };
}

async function listLocks(dataDir: string): Promise<Lock[]> {
  const locks: Lock[] = [];
  for (const name of await readdir(dataDir)) {
    const generation = lockName.exec(name)?.[1];
    if (generation === undefined) continue;
    const path = join(dataDir, name);
    const text = await unlessMissing(readFile(path, 'utf8'));
    if (text !== undefined) locks.push({ path, generation: Number(generation), owner: parseOwner(text) });
  }
  return locks;
}

function parseOwner(text: string): Owner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function isLive({ path, owner }: Lock, silent: Set<string>): Promise<boolean> {
  if (owner === undefined || silent.has(owner.token)) return false;
  if (owner.pidSpace === (await pidSpace())) return isStillRunning(owner.pid, owner.startedAt);
  if (await heartbeatMoves(path)) return true;
  silent.add(owner.token);
  return false;
}

/** Compares the file's time with an earlier reading, because our clock may differ from the other machine's. */
async function heartbeatMoves(path: string): Promise<boolean> {
  const first = await unlessMissing(stat(path));
  const deadline = performance.now() + silenceMs;
  while (performance.now() < deadline) {
    await delay(250);
    const current = await unlessMissing(stat(path));
    if (current === undefined) return false;
    if (current.mtimeMs !== first?.mtimeMs) return true;
  }
  return false;
}

/** Only the owner removes files of dead engines, so that no live lock can be removed. */
async function sweep(dataDir: string, dead: Lock[], own: Claim): Promise<void> {
  for (const lock of dead) await rm(lock.path, { force: true });
  for (const name of await readdir(dataDir)) {
    const path = join(dataDir, name);
    if (!name.startsWith(claimPrefix) || path === own.path) continue;
    const claim = await unlessMissing(stat(path));
    if (claim !== undefined && Date.now() - claim.mtimeMs > claimAgeMaxMs) await rm(path, { force: true });
  }
}

function unusable(path: string, cause: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError('DATA_DIR_UNUSABLE', `The lock file ${path} cannot be created.`, {
    remedy:
      'Set DATA_DIR to a directory that the engine can write to, on a local file system that supports hard links.',
    cause,
  });
}

function inUse(dataDir: string, { owner }: Lock): EmbeddedPostgresError {
  const place = owner === undefined ? '' : ` (${owner.pidSpace})`;
  return new EmbeddedPostgresError(
    'DATA_DIR_IN_USE',
    `The data directory ${dataDir} is in use by process ${owner?.pid ?? 'unknown'}${place}.`,
    { remedy: 'Stop that process, or set DATA_DIR to another directory for this engine.' },
  );
}
