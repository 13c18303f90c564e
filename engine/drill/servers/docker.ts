import { spawnSync } from 'node:child_process';

/** Whether containers can be started here. */
export function isDockerThere(): boolean {
  return spawnSync('docker', ['info'], { timeout: 10_000 }).status === 0;
}
