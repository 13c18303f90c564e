export type RateLimit = {
  /** Calls in a window, spread evenly over it. */
  limit: number;
  windowMs: number;
  /** Calls that may come at once after a quiet period. */
  burst: number;
};

/** `resetMs` is the time until one more call is allowed, 0 if one is left. */
export type RateTaken = { allowed: boolean; remaining: number; resetMs: number };

/**
 * Counts calls per key in a token bucket: it holds `burst` tokens, and `limit` of them come back in each `windowMs`. A
 * refused call takes none. Answers at once if it can; a promise never rejects.
 */
export type RateLimits = {
  take(key: string, limit: RateLimit): RateTaken | Promise<RateTaken>;
};
