export type BreakerState = 'closed' | 'open' | 'half-open';

export type Breaker = {
  /** An open breaker turns half-open at the next call, not by itself. */
  state(): BreakerState;
  /** The work must settle: nothing else ends a probe. */
  run<T>(work: () => Promise<T>): Promise<T>;
};

export type BreakerOptions = {
  /** Consecutive failures that open it. */
  failuresMax: number;
  /** How long it refuses before one call may try. */
  openMs: number;
  /** Which errors count as failures. Others neither count nor reset the count; a probe that ends with one was answered. */
  isFailure: (error: unknown) => boolean;
  /** The error to throw instead of calling. */
  refusal: () => Error;
  /** Called at every change of state, with the error that opened it. Must not throw. */
  onMove: (state: BreakerState, error?: unknown) => void;
  nowMs?: () => number;
};

/**
 * A circuit breaker. Closed, it lets all calls pass until `failuresMax` in a row have failed. Open, it refuses calls for
 * `openMs`. The next call is its probe: half-open, it refuses all other calls until the probe closes it or opens it again.
 */
export function createBreaker(options: BreakerOptions): Breaker {
  // The monotonic clock: a clock that is set back must not hold the breaker open.
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
      // A call that ends after the breaker has changed state says nothing about the new state.
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
