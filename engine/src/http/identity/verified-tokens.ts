import { LRUCache } from 'lru-cache';

/** Whose token it is, and until when (ms since 1970, by the issuer's clock). */
export type VerifiedToken = { shopperId: string; endsAtMs: number };

export type VerifiedTokens = {
  /** The shopper of a token that was verified before and is not over. */
  shopperOf(token: string): string | undefined;
  add(token: string, verified: VerifiedToken): void;
  clear(): void;
};

// Shoppers who are busy at the same time, and 32 MB of their tokens at most. One that is not there is verified again.
const tokensMax = 50_000;
const charactersMax = 32 * 1024 * 1024;

/** A shopper sends the same token with each request; verifying it costs a hundred times a look-up. */
export function createVerifiedTokens(nowMs: () => number): VerifiedTokens {
  const tokens = new LRUCache<string, VerifiedToken>({
    max: tokensMax,
    maxSize: charactersMax,
    sizeCalculation: (_verified, token) => token.length,
  });
  return {
    shopperOf(token) {
      const verified = tokens.get(token);
      if (verified === undefined) return undefined;
      if (nowMs() < verified.endsAtMs) return verified.shopperId;
      tokens.delete(token);
      return undefined;
    },
    add: (token, verified) => void tokens.set(token, verified),
    clear: () => tokens.clear(),
  };
}
