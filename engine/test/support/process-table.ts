import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';

export type Listed = { pid: number; parent: number; command: string };

/** Every process of this machine that has not ended; zombies have. */
function listProcesses(): Listed[] {
  const table = execFileSync('ps', ['-ww', '-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' });
  return [...table.matchAll(/^ *(\d+) +(\d+) +([^Z\s]\S*) +(.*)$/gm)].map(
    ([, pid, parent, , command = '']) => ({
      pid: Number(pid),
      parent: Number(parent),
      command,
    }),
  );
}

/** The children of a process, their children, and so on. */
export function descendantsOf(ancestor: number, all = listProcesses()): Listed[] {
  return all
    .filter(({ parent }) => parent === ancestor)
    .flatMap(child => [child, ...descendantsOf(child.pid, all)]);
}

/** The processes in `known` that are still running. */
export function stillRunning(known: readonly Listed[]): Listed[] {
  const all = listProcesses();
  return known.filter(one => all.some(({ pid, command }) => pid === one.pid && command === one.command));
}

/** How many sockets a process has open; on Linux. */
export function countSockets(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter(name => linkOf(`${folder}/${name}`).startsWith('socket:')).length;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed since the folder was read.
    return '';
  }
}
