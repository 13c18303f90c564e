import { setTimeout as delay } from 'node:timers/promises';
import { codeOf } from '../errors.js';

/**
 * PostgreSQL's shutdowns, gentlest first: fast (ends sessions, writes a checkpoint), immediate (no checkpoint, the next
 * start recovers; the server itself kills its children after 5 s), and SIGKILL, which no process can ignore. All of them
 * keep every committed order.
 */
const shutdowns: { signal: NodeJS.Signals; waitMs: number }[] = [
  { signal: 'SIGINT', waitMs: 10_000 },
  { signal: 'SIGQUIT', waitMs: 8_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
];

/** Returns whether the process has ended; takes at most 23 s. */
export async function shutDown(pid: number, hasEnded: () => Promise<boolean>): Promise<boolean> {
  for (const { signal, waitMs } of shutdowns) {
    if (!sendSignal(pid, signal)) return hasEnded();
    if (await waitUntil(hasEnded, waitMs)) return true;
  }
  return false;
}

export async function waitUntil(condition: () => Promise<boolean>, waitMs: number): Promise<boolean> {
  const deadline = performance.now() + waitMs;
  while (performance.now() < deadline) {
    if (await condition()) return true;
    await delay(10);
  }
  return condition();
}

function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    // EPERM: another user's process; the caller then checks whether it is still running.
    if (codeOf(error) === 'ESRCH' || codeOf(error) === 'EPERM') return false;
    throw error;
  }
}
