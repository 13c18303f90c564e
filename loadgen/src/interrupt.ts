// Ctrl-C under npm arrives twice, from the terminal and from npm. Only a later one is a second wish.
const SAME_SIGNAL_MS = 1_000;

/**
 * SIGINT or SIGTERM: the first ends the run in good order through `onFirst`, a later one ends the process through
 * `onSecond`. The answer takes the listeners away again.
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
