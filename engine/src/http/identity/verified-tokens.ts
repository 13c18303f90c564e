import { LRUCache } from 'lru-cache';

/** The token's shopper, and its end (ms since 1970, by the issuer's clock). */
export type VerifiedToken = { shopperId: string; endsAtMs: number };

export type VerifiedTokens = {
  /** The shopper of a token that was verified before and has not ended. */
  shopperOf(token: string): string | undefined;
  add(token: string, verified: VerifiedToken): void;
  clear(): void;
};

// Shoppers who are active at the same time, and at most 32 MB of tokens. An evicted token is verified again.
const tokensMax = 50_000;
const charactersMax = 32 * 1024 * 1024;

/** A shopper sends the same token with each request, and verifying it costs a hundred times as much as a look-up. */
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
