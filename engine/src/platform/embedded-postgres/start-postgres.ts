import { resolve } from 'node:path';
import { type Binaries, findBinaries } from './binaries.js';
import {
  makePassword,
  readPassword,
  removeDatabaseUrl,
  writeDatabaseUrl,
  writePassword,
} from './connection.js';
import { acquireDataDirLock, type DataDirLock } from './data-dir-lock.js';
import { clusterExists, giveCluster, initialiseCluster, setPassword } from './initialise.js';
import { type Launch, launchServer } from './launch.js';
import { type ClusterLocation, locateCluster, prepareDataDir } from './location.js';
import { stopOrphan } from './orphan.js';
import { EmbeddedPostgresError } from './postgres-errors.js';
import {
  findFreePort,
  logDirOf,
  type ServerExit,
  type ServerPlan,
  type ServerProcess,
} from './postgres-server.js';

export type EmbeddedPostgresOptions = {
  /** The engine's DATA_DIR. The cluster is in its subdirectory `postgres`, or where the file `postgres-location` points. */
  dataDir: string;
  onProgress?: (message: string) => void;
  /** Called again, a few times, if the port turns out to be taken. Default: any free port. */
  choosePort?: () => Promise<number>;
};

export type EmbeddedPostgres = {
  databaseUrl: string;
  port: number;
  /** Process id of the server (the postmaster). */
  pid: number;
  clusterDir: string;
  logDir: string;
  /** Resolves when the server has ended, by stop() or by itself. */
  exited: Promise<ServerExit>;
  /**
   * Stops the server (fast shutdown; after 10 s without a checkpoint) and releases the data directory. Ends open
   * sessions, so drain first. Further calls return the first call's promise. Throws ORPHAN_UNSTOPPABLE.
   */
  stop(): Promise<void>;
};

/**
 * Starts the PostgreSQL server of a data directory, which it creates at the first start, and resolves once the server
 * answers queries. First it cleans up after a killed engine: its server, an unfinished cluster, stale locks.
 *
 * Throws EmbeddedPostgresError; the usual code is DATA_DIR_IN_USE (another engine is running on this directory).
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = await prepareDataDir(resolve(options.dataDir));
  const locks = [await acquireDataDirLock(dataDir)];
  try {
    const location = await locateCluster(dataDir, options.onProgress ?? (() => {}));
    // A copied DATA_DIR may point to the same cluster elsewhere, so that place has its own lock.
    if (location.homeDir !== dataDir) locks.push(await acquireDataDirLock(location.homeDir));
    const { plan, launch } = await bringUp(dataDir, location, options);
    return runningServer(plan, launch, locks);
  } catch (error) {
    await releaseAll(locks);
    throw error;
  }
}

async function bringUp(
  dataDir: string,
  location: ClusterLocation,
  { onProgress = () => {}, choosePort = findFreePort }: EmbeddedPostgresOptions,
): Promise<{ plan: ServerPlan; launch: Launch }> {
  const binaries = await findBinaries(dataDir, location.user);
  const password = await prepareCluster(dataDir, location, binaries, onProgress);
  const plan = { location, binaries, dataDir };
  const launch = await launchServer(plan, { password, choosePort, onProgress });
  try {
    await writeDatabaseUrl(dataDir, launch.databaseUrl);
  } catch (error) {
    await launch.server.stop();
    throw error;
  }
  return { plan, launch };
}

/** Leaves a complete cluster on which no server runs, and returns the role's password. */
async function prepareCluster(
  dataDir: string,
  location: ClusterLocation,
  binaries: Binaries,
  onProgress: (message: string) => void,
): Promise<string> {
  const stored = await readPassword(dataDir);
  const password = stored ?? makePassword();
  if (!(await clusterExists(location, binaries.majorVersion))) {
    onProgress(`creating the database in ${location.clusterDir}`);
    await writePassword(dataDir, password);
    await initialiseCluster(location, binaries, password);
    return password;
  }
  await giveCluster(location);
  const { crashed } = await stopOrphan(location.clusterDir, onProgress);
  if (crashed)
    onProgress('recovering after a crash: PostgreSQL replays its log, and no committed data is lost');
  if (stored === undefined) {
    onProgress('the password file is missing: setting a new password');
    await setPassword(location, binaries, password);
    // Written last, so that the password in the file is always one that the database knows.
    await writePassword(dataDir, password);
  }
  return password;
}

function runningServer(plan: ServerPlan, launch: Launch, locks: DataDirLock[]): EmbeddedPostgres {
  const { server, databaseUrl } = launch;
  if (server.pid === undefined) throw new Error('a server that answers has a process id');
  let stopping: Promise<void> | undefined;
  return {
    databaseUrl,
    port: server.port,
    pid: server.pid,
    clusterDir: plan.location.clusterDir,
    logDir: logDirOf(plan.location.clusterDir),
    exited: server.exited,
    stop() {
      stopping ??= stopAndRelease(plan.dataDir, server, locks);
      return stopping;
    },
  };
}

async function releaseAll(locks: DataDirLock[]): Promise<void> {
  for (const lock of locks) await lock.release();
}

async function stopAndRelease(dataDir: string, server: ServerProcess, locks: DataDirLock[]): Promise<void> {
  const stopped = await server.stop();
  // Even if it did not stop: the lock stands for a running engine, and the next engine first stops any server it finds.
  await removeDatabaseUrl(dataDir);
  await releaseAll(locks);
  if (stopped) return;
  throw new EmbeddedPostgresError('ORPHAN_UNSTOPPABLE', `PostgreSQL (process ${server.pid}) does not stop.`, {
    remedy: `Stop it by hand: kill -KILL ${server.pid}. The next start recovers everything that was committed.`,
  });
}
