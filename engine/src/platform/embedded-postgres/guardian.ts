import { spawn } from 'node:child_process';
import { childEnvironment, identityOf, type ServerUser } from './run.js';

// It reads until the pipe closes, which the kernel does when the engine is gone. Then a fast shutdown, and after 3 s one
// without a checkpoint, so that nothing runs 5 s after the engine; the next start recovers.
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
 * Has a small process stop a server as soon as this process is gone, by kill -9 too. A signal on the parent's death
 * (prctl) exists on Linux alone. On Windows the server stays until the next start stops it.
 *
 * @returns what ends the guard, without touching the server.
 */
export function guardServer(pid: number, user: ServerUser | undefined): () => void {
  if (process.platform === 'win32') return () => {};
  const guardian = spawn('/bin/sh', ['-c', script, 'doorbuster-guardian', `${pid}`], {
    cwd: '/',
    env: childEnvironment(),
    // Its own process group, for the same reason as the server's: Ctrl-C must leave it to the engine.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    ...identityOf(user),
  });
  // Without a shell there is no guard, and the next start stops the server as it does on Windows.
  guardian.on('error', () => {});
  return () => guardian.kill('SIGKILL');
}
