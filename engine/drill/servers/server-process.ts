import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { childEnvironment, identityOf, type ServerUser } from '../../dist/platform/embedded-postgres/run.js';
import { endProcess } from './end-process.js';

export type LaunchedServer = {
  /** kill -9, unless it has already ended. */
  kill(): Promise<void>;
};

/** Starts a server in the foreground. It ends with this process at the latest. */
export function launch(program: string, args: readonly string[], user?: ServerUser): LaunchedServer {
  const child = spawn(program, args, {
    stdio: 'ignore',
    cwd: '/',
    env: childEnvironment(),
    ...identityOf(user),
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  // If the program is missing, the wait for its readiness fails.
  child.on('error', () => {});
  return {
    async kill() {
      process.off('exit', end);
      if (child.pid !== undefined) await endProcess(child);
    },
  };
}

export function isListening(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      resolve(true);
      socket.destroy();
    });
  });
}
