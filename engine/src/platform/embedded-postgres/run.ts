import { spawn } from 'node:child_process';

/** An account other than our own; only root can run a program under it. */
export type ServerUser = { uid: number; gid: number };

export type RunResult = { exitCode: number | null; stdout: string; stderr: string };

export type RunOptions = {
  user: ServerUser | undefined;
  cwd: string;
  timeoutMs: number;
  /** Written to the child's standard input, which is then closed. */
  input?: string;
};

// Enough for any message of initdb; a child with endless output must not fill our memory.
const outputLengthMax = 100_000;

/** Runs one short-lived program to its end. Rejects only if it cannot be started. */
export function run(command: string, args: string[], options: RunOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: childEnvironment(),
      windowsHide: true,
      ...identityOf(options.user),
    });
    // Not spawn's own timeout: its timer outlives a program that could not be started and keeps this process alive.
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    const result: RunResult = { exitCode: null, stdout: '', stderr: '' };
    child.stdout.on('data', chunk => {
      result.stdout = `${result.stdout}${chunk}`.slice(-outputLengthMax);
    });
    child.stderr.on('data', chunk => {
      result.stderr = `${result.stderr}${chunk}`.slice(-outputLengthMax);
    });
    // If a child ends before it has read its input, its exit code counts, not our EPIPE.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    child.on('error', error => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', exitCode => {
      clearTimeout(timer);
      resolve({ ...result, exitCode });
    });
  });
}

export function identityOf(user: ServerUser | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid, gid: user.gid };
}

/**
 * Only the variables that a program needs to run: the engine's environment holds secrets, and a stray PGDATA, PGOPTIONS
 * or LC_ALL would change what initdb builds. LC_ALL=C also avoids the failure "postmaster became multithreaded" on macOS.
 */
export function childEnvironment(): NodeJS.ProcessEnv {
  const needed = ['PATH', 'SystemRoot', 'SystemDrive', 'TEMP', 'TMP', 'TMPDIR'];
  const kept = needed.flatMap(name => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' };
}
