import type { ProgressState } from './measure/progress.js';
import type { Report } from './report.js';

/**
 * What a process is told that has started this one with an IPC channel. `accepted`: every order is taken in, and workers may
 * be started.
 */
export type Message =
  | 'accepted'
  | ({ readonly kind: 'progress' } & ProgressState)
  | { readonly kind: 'report'; readonly report: Report };

const PROGRESS_INTERVAL_MS = 500;

/** Answers when it is sent; at once where there is nobody to tell. */
export function tellParent(message: Message): Promise<void> {
  return new Promise(resolve => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });
}

/** Tells how the run goes, twice a second. Answers what ends it. */
export function startTelling(read: () => ProgressState): () => void {
  if (process.send === undefined) return () => {};
  const timer = setInterval(() => void tellParent({ kind: 'progress', ...read() }), PROGRESS_INTERVAL_MS);
  return () => clearInterval(timer);
}

/** Whoever started this process is gone, however: nobody wants the load any more. */
export function endWithParent(onGone: () => void): void {
  if (process.send === undefined) return;
  process.once('disconnect', onGone);
  // Listening must not keep a run alive that is over.
  process.channel?.unref();
}
