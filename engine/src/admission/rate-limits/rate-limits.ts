export type RateLimit = {
  /** Calls in a window, spread evenly over it. */
  limit: number;
  windowMs: number;
  /** Calls that may come at once after a rest. */
  burst: number;
};

/** `resetMs` is how long until one more call is allowed, 0 where there is one left. */
export type RateTaken = { allowed: boolean; remaining: number; resetMs: number };

/**
 * Counts calls per key in a token bucket: it holds `burst`, and `limit` come back in each `windowMs`. A refused call takes
 * nothing. Answers at once where it can; a promise never rejects.
 */
export type RateLimits = {
  take(key: string, limit: RateLimit): RateTaken | Promise<RateTaken>;
};
