const seldomMs = 60_000;

/** Reports at most once a minute, because a receiver that is down fails all the time. */
export function seldom(tell: (error: unknown) => void): (error: unknown) => void {
  let silentUntilMs = Number.NEGATIVE_INFINITY;
  return error => {
    if (performance.now() < silentUntilMs) return;
    silentUntilMs = performance.now() + seldomMs;
    tell(error);
  };
}

/** @returns a function that says whether there is room for one more in this second. */
export function atMostPerSecond(max: number, nowMs = () => performance.now()): () => boolean {
  let secondEndsAtMs = 0;
  let count = 0;
  return () => {
    const atMs = nowMs();
    if (atMs >= secondEndsAtMs) {
      secondEndsAtMs = atMs + 1000;
      count = 0;
    }
    count += 1;
    return count <= max;
  };
}
