import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Binaries } from './binaries.js';
import { guardServer } from './guardian.js';
import type { ClusterLocation } from './location.js';
import { type LogPositions, logPositions, logsSince, pruneLogs } from './logs.js';
import { childEnvironment, identityOf, run } from './run.js';
import { settingArguments } from './settings.js';
import { shutDown } from './signals.js';

export type ServerExit = { exitCode: number | null; signal: NodeJS.Signals | null };

export type ServerProcess = {
  pid: number | undefined;
  port: number;
  exited: Promise<ServerExit>;
  hasExited(): boolean;
  /** The lines that this server has written to its logs so far, at most the last 16 KB per file. */
  readLog(): Promise<string[]>;
  /** Returns whether the server has ended. */
  stop(): Promise<boolean>;
};

export type ServerPlan = { location: ClusterLocation; binaries: Binaries; dataDir: string };

export function logDirOf(clusterDir: string): string {
  return join(clusterDir, 'log');
}

/** Starts the server process; it does not accept connections yet. */
export async function spawnServer(plan: ServerPlan, port: number): Promise<ServerProcess> {
  const logDir = logDirOf(plan.location.clusterDir);
  const startupLog = join(plan.dataDir, 'postgres-startup.log');
  await pruneLogs(logDir);
  const positions: LogPositions = await logPositions(logDir);
  const child = await spawnChild(plan, port, startupLog);
  let ended = false;
  const exited = exitOf(child).then(exit => {
    ended = true;
    return exit;
  });
  return {
    pid: child.pid,
    port,
    exited,
    hasExited: () => ended,
    readLog: () => logsSince(startupLog, logDir, positions),
    stop: () => stopChild(plan, child, async () => ended),
  };
}

/** A port that is free at this moment. Another process may take it first, so the caller tries again. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('a TCP server without a port'));
      });
    });
  });
}

async function spawnChild(plan: ServerPlan, port: number, startupLog: string): Promise<ChildProcess> {
  const { clusterDir, user } = plan.location;
  // A file instead of a pipe: the server outlives a killed engine for a moment and must not get a broken pipe.
  const output = await open(startupLog, 'w', 0o600);
  try {
    const child = spawn(plan.binaries.postgres, ['-D', clusterDir, ...settingArguments(port)], {
      cwd: clusterDir,
      env: childEnvironment(),
      // Its own process group: Ctrl-C in a terminal signals the whole group, and would stop the server before the engine
      // has answered the requests in progress.
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
      windowsHide: true,
      ...identityOf(user),
    });
    if (child.pid !== undefined) child.once('exit', guardServer(child.pid, user));
    return child;
  } finally {
    await output.close();
  }
}

function exitOf(child: ChildProcess): Promise<ServerExit> {
  return new Promise(resolve => {
    child.on('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    // Only a failed spawn leaves the pid undefined; other errors are about signals and do not end the process.
    child.on('error', () => {
      if (child.pid === undefined) resolve({ exitCode: null, signal: null });
    });
  });
}

async function stopChild(
  plan: ServerPlan,
  child: ChildProcess,
  hasEnded: () => Promise<boolean>,
): Promise<boolean> {
  if (child.pid === undefined || (await hasEnded())) return true;
  if (process.platform === 'win32') await stopOnWindows(plan);
  return shutDown(child.pid, hasEnded);
}

/** Not tested. Windows has no signals: Node would end the server at once, while pg_ctl asks it for a fast shutdown. */
async function stopOnWindows({ binaries, location }: ServerPlan): Promise<void> {
  const args = ['stop', '-D', location.clusterDir, '-m', 'fast', '-w', '-t', '10'];
  await run(binaries.pgCtl, args, { user: undefined, cwd: location.clusterDir, timeoutMs: 15_000 });
}
