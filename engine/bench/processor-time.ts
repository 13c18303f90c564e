import { readdirSync, readFileSync } from 'node:fs';

// What the kernel counts in on every platform that has /proc.
const ticksPerSecond = 100;

/** Processor time of a process and of its children so far, in seconds; NaN where there is no /proc to ask. */
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

// utime and stime, and for the parent those of its children that have ended.
function timeOf(pid: number): number {
  const stat = statOf(pid);
  if (!stat) return Number.NaN;
  return stat.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
}

// The fields behind the name, which may contain anything but stands in brackets.
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
