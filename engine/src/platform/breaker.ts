export type BreakerState = 'closed' | 'open' | 'half-open';

export type Breaker = {
  /** An open breaker turns half-open when somebody calls, not by itself. */
  state(): BreakerState;
  /** The work must settle: nothing else ends a probe. */
  run<T>(work: () => Promise<T>): Promise<T>;
};

export type BreakerOptions = {
  /** Failures in a row that open it. */
  failuresMax: number;
  /** How long it refuses before one call may try. */
  openMs: number;
  /** Which errors count. Others neither count nor end a row of failures; a probe that ends with one has been answered. */
  isFailure: (error: unknown) => boolean;
  /** What is thrown instead of calling. */
  refusal: () => Error;
  /** Told of every move, and of the error that opened it. Must not throw. */
  onMove: (state: BreakerState, error?: unknown) => void;
  nowMs?: () => number;
};

/**
 * A circuit breaker. Closed, it lets all calls pass until `failuresMax` in a row have failed. Open, it refuses them for
 * `openMs`. The next call is its probe: half-open, it refuses all others until the probe has closed it or opened it again.
 */
export function createBreaker(options: BreakerOptions): Breaker {
  // The monotonic clock: one that is set back must not hold a breaker open.
  const { failuresMax, openMs, isFailure, refusal, onMove, nowMs = () => performance.now() } = options;
  let state: BreakerState = 'closed';
  let failures = 0;
  let openedAtMs = 0;
  let moves = 0;

  function move(next: BreakerState, error?: unknown): void {
    state = next;
    failures = 0;
    moves += 1;
    if (next === 'open') openedAtMs = nowMs();
    onMove(next, error);
  }

  function succeed(): void {
    failures = 0;
    if (state === 'half-open') move('closed');
  }

  function fail(error: unknown): void {
    if (isFailure(error)) {
      failures += 1;
      if (state === 'half-open' || failures >= failuresMax) move('open', error);
    } else if (state === 'half-open') move('closed');
  }

  return {
    state: () => state,
    async run(work) {
      if (state === 'open' && nowMs() - openedAtMs >= openMs) move('half-open');
      else if (state !== 'closed') throw refusal();
      // A call that ends after the breaker has moved tells of a time before it.
      const movesBefore = moves;
      try {
        const result = await work();
        if (moves === movesBefore) succeed();
        return result;
      } catch (error) {
        if (moves === movesBefore) fail(error);
        throw error;
      }
    },
  };
}
