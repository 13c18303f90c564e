import type { ProgressState } from './measure/progress.js';
import type { Report } from './report.js';

/**
 * A message to a parent process that started this one with an IPC channel. `accepted` means that all orders have been
 * accepted and the parent may start workers.
 */
export type Message =
  | 'accepted'
  | ({ readonly kind: 'progress' } & ProgressState)
  | { readonly kind: 'report'; readonly report: Report };

const PROGRESS_INTERVAL_MS = 500;

/** Resolves when the message is sent, or at once if there is no parent. */
export function tellParent(message: Message): Promise<void> {
  return new Promise(resolve => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });
}

/** Sends progress twice a second. Returns a function that stops it. */
export function startTelling(read: () => ProgressState): () => void {
  if (process.send === undefined) return () => {};
  const timer = setInterval(() => void tellParent({ kind: 'progress', ...read() }), PROGRESS_INTERVAL_MS);
  return () => clearInterval(timer);
}

/** Calls `onGone` when the parent process has ended, for whatever reason: the load then has no purpose. */
export function endWithParent(onGone: () => void): void {
  if (process.send === undefined) return;
  process.once('disconnect', onGone);
  // The listener must not keep a finished run alive.
  process.channel?.unref();
}
