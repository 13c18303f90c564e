export type LiveBroadcast<Frame> = {
  /** Hands over each frame, and the last one at once if there are other readers. @returns unfollow */
  follow(onFrame: (frame: Frame) => void): () => void;
};

export type LiveSource<Frame> = {
  /** Called when the first reader comes, so that the first frame covers what is counted from then on. */
  begin(): void;
  /** Never rejects. */
  compute(): Promise<Frame>;
};

/**
 * Computes a frame a second for all readers together, while there are any. The open streams bound their number: each
 * follows once.
 */
export function createLiveBroadcast<Frame>(source: LiveSource<Frame>, everyMs = 1000): LiveBroadcast<Frame> {
  const listeners = new Set<(frame: Frame) => void>();
  let last: Frame | undefined;
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    source.begin();
    for (let delayMs = everyMs; listeners.size > 0; ) {
      await passing(delayMs);
      const startedAtMs = performance.now();
      const frame = await source.compute();
      last = frame;
      for (const listener of listeners) listener(frame);
      delayMs = Math.max(0, everyMs - (performance.now() - startedAtMs));
    }
    last = undefined;
    isRunning = false;
  }

  return {
    follow(onFrame) {
      listeners.add(onFrame);
      if (last) onFrame(last);
      if (!isRunning) void run();
      return () => void listeners.delete(onFrame);
    },
  };
}

// Unlike `sleep` in platform/backoff.ts, this does not keep the process alive.
function passing(delayMs: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, delayMs).unref());
}
