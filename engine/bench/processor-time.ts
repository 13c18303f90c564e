import { readdirSync, readFileSync } from 'node:fs';

// The unit in which the kernel counts on every platform that has /proc.
const ticksPerSecond = 100;

/** CPU time of a process and its children so far, in seconds; NaN without /proc. */
export function processorTimeS(pid: number): number {
  const pids = [pid, ...childrenOf(pid)];
  return pids.reduce((sum, one) => sum + timeOf(one), 0);
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .map(Number)
      .filter(one => statOf(one)?.[1] === String(pid));
  } catch {
    return [];
  }
}

// utime and stime, and for the parent those of its ended children.
function timeOf(pid: number): number {
  const stat = statOf(pid);
  if (!stat) return Number.NaN;
  return stat.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
}

// The fields after the name. The name may contain anything, but is in brackets.
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
