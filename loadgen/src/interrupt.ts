// Under npm, Ctrl-C arrives twice: from the terminal and from npm. Only a later signal is a second request.
const SAME_SIGNAL_MS = 1_000;

/**
 * Handles SIGINT and SIGTERM: the first signal ends the run gracefully through `onFirst`, a later one ends the process
 * through `onSecond`. Returns a function that removes the listeners.
 */
export function listenForInterrupt(onFirst: () => void, onSecond: () => void): () => void {
  let firstAtMs: number | null = null;
  const handle = () => {
    if (firstAtMs === null) {
      firstAtMs = performance.now();
      onFirst();
    } else if (performance.now() - firstAtMs > SAME_SIGNAL_MS) {
      onSecond();
    }
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return () => {
    process.off('SIGINT', handle);
    process.off('SIGTERM', handle);
  };
}
