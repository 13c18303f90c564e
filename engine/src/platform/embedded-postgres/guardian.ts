import { spawn } from 'node:child_process';
import { childEnvironment, identityOf, type ServerUser } from './run.js';

// The guard reads until the pipe closes, which the kernel does when the engine ends. It then requests a fast shutdown,
// and after 3 s one without a checkpoint, so that nothing runs 5 s after the engine; the next start recovers.
const script = `
read -r _
kill -INT "$1"
tries=30
while [ "$tries" -gt 0 ]; do
  kill -0 "$1" || exit
  sleep 0.1
  tries=$((tries - 1))
done
kill -QUIT "$1"`;

/**
 * Starts a small process that stops the server as soon as this process ends, even by kill -9. A signal on the parent's
 * death (prctl) exists only on Linux. On Windows the server keeps running until the next start stops it.
 *
 * @returns a function that ends the guard and does not touch the server.
 */
export function guardServer(pid: number, user: ServerUser | undefined): () => void {
  if (process.platform === 'win32') return () => {};
  const guardian = spawn('/bin/sh', ['-c', script, 'doorbuster-guardian', `${pid}`], {
    cwd: '/',
    env: childEnvironment(),
    // Its own process group, as for the server: Ctrl-C must reach only the engine.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    ...identityOf(user),
  });
  // Without a shell there is no guard, and the next start stops the server, as on Windows.
  guardian.on('error', () => {});
  return () => guardian.kill('SIGKILL');
}
