import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../errors.js';
import { checkConnection, databaseUrlFor } from './connection.js';
import { EmbeddedPostgresError } from './postgres-errors.js';
import { type ServerPlan, type ServerProcess, spawnServer } from './postgres-server.js';
import { waitUntil } from './signals.js';

export type Launch = { server: ServerProcess; databaseUrl: string };

export type LaunchOptions = {
  password: string;
  choosePort: () => Promise<number>;
  onProgress: (message: string) => void;
};

type Outcome = 'ready' | 'silent' | 'exited' | 'password rejected';

const portAttemptsMax = 5;
// Sessions of a killed server notice its end and exit within a second; a long statement may take a few more.
const leftoverWaitMs = 10_000;
// Usually a few milliseconds; the full wait passes only if the server was killed and wrote no final line.
const collectorWaitMs = 1000;
// Until the first answer of any kind. A warm start takes half a second.
const silenceMaxMs = 60_000;
// Until recovery ends; meanwhile the server answers "starting up". Giving up earlier would restart recovery each time.
const recoveryMaxMs = 10 * 60_000;
const progressEveryMs = 5000;

/** Starts the server and waits until it answers a query. Fails as soon as the server ends, with the end of its log. */
export async function launchServer(plan: ServerPlan, options: LaunchOptions): Promise<Launch> {
  const leftoverDeadline = performance.now() + leftoverWaitMs;
  for (let attempt = 1; ; attempt++) {
    const server = await spawnServer(plan, await options.choosePort());
    const databaseUrl = databaseUrlFor(server.port, options.password);
    const outcome = await untilReady(server, databaseUrl, options.onProgress);
    if (outcome === 'ready') return { server, databaseUrl };
    await server.stop();
    const log = await lastWords(server);
    const mayRetry =
      (isPortTaken(log) && attempt < portAttemptsMax) ||
      (isStillUsed(log) && performance.now() < leftoverDeadline);
    if (outcome !== 'exited' || !mayRetry) throw failure(outcome, plan, server, log);
    await delay(100);
  }
}

async function untilReady(
  server: ServerProcess,
  databaseUrl: string,
  onProgress: (message: string) => void,
): Promise<Outcome> {
  const startedAt = performance.now();
  let progressAt = startedAt + progressEveryMs;
  let deadline = startedAt + silenceMaxMs;
  while (performance.now() < deadline) {
    // Another program that listens on the port may keep the connection waiting; our server's end must not wait for that.
    const error = await Promise.race([attemptConnection(databaseUrl), server.exited]);
    if (server.hasExited()) return 'exited';
    if (error === undefined) return 'ready';
    const code = codeOf(error);
    if (code === '28P01') return (await exitsWithin(server, 1000)) ? 'exited' : 'password rejected';
    if (code === '57P03') deadline = startedAt + recoveryMaxMs;
    if (performance.now() >= progressAt) {
      onProgress(`PostgreSQL is still starting (${Math.round((performance.now() - startedAt) / 1000)} s)`);
      progressAt += progressEveryMs;
    }
    await Promise.race([server.exited, delay(20)]);
  }
  return 'silent';
}

/** Another server may hold the port. Then that server refused us, and ours is about to exit. */
async function exitsWithin(server: ServerProcess, waitMs: number): Promise<boolean> {
  await Promise.race([server.exited, delay(waitMs)]);
  return server.hasExited();
}

async function attemptConnection(databaseUrl: string): Promise<unknown> {
  try {
    await checkConnection(databaseUrl);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The log collector writes its last lines shortly after the server has ended. */
async function lastWords(server: ServerProcess): Promise<string[]> {
  const isComplete = async () => (await server.readLog()).some(line => line.includes('system is shut down'));
  await waitUntil(isComplete, collectorWaitMs);
  return server.readLog();
}

function isPortTaken(log: string[]): boolean {
  return log.some(line => /could not bind|could not create any TCP\/IP sockets/.test(line));
}

function isStillUsed(log: string[]): boolean {
  return log.some(line => /pre-existing shared memory block|"postmaster\.pid" already exists/.test(line));
}

function failure(
  outcome: Outcome,
  { dataDir }: ServerPlan,
  server: ServerProcess,
  log: string[],
): EmbeddedPostgresError {
  const words = `The end of its log:\n${log.slice(-15).join('\n') || '(empty)'}\n`;
  if (outcome === 'password rejected') {
    return new EmbeddedPostgresError(
      'PASSWORD_REJECTED',
      `The password in ${dataDir} does not match the database.`,
      {
        remedy: `Delete ${dataDir}/postgres-password and start again; the engine then sets a new password.`,
      },
    );
  }
  if (outcome === 'silent') {
    return new EmbeddedPostgresError(
      'START_TIMEOUT',
      `PostgreSQL on port ${server.port} does not answer. ${words}`,
      {
        remedy: 'Check its log, and start again when the machine is less busy.',
        retryable: true,
      },
    );
  }
  return new EmbeddedPostgresError('START_FAILED', `PostgreSQL ended while it was starting. ${words}`, {
    remedy: 'Fix the problem that the log names, or set DATABASE_URL to your own PostgreSQL server.',
  });
}
