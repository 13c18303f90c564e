import type { FastifyRequest, onRequestHookHandler } from 'fastify';
import { ProblemError } from '../answers/send-problem.js';
import { bearerOf, cookieOf } from './credentials.js';
import type { CrossSite } from './cross-site.js';
import type { Jwt } from './jwt.js';
import type { TokenSigner } from './signed-token.js';
import type { VerifiedTokens } from './verified-tokens.js';

/** Finds the shopper whose token a request presents, in one mode of identity. */
export type Shoppers = {
  /** @returns undefined without a token. @throws ProblemError if the token is invalid, or if another site uses it. */
  shopperOf(request: FastifyRequest): string | undefined;
  /** Work that has to be done before the route is entered; undefined if there is none. */
  onRequest?: onRequestHookHandler;
};

/** Shoppers do not call directly: the shop's own server calls for all of them. */
export const noShoppers: Shoppers = {
  shopperOf(request) {
    if (bearerOf(request) === undefined) return undefined;
    throw new ProblemError('not-authenticated', 'The token is not valid.');
  },
};

export const sessionCookie = 'doorbuster_session';
export const csrfCookie = 'doorbuster_csrf';

type DemoOptions = {
  signer: TokenSigner;
  verified: VerifiedTokens;
  crossSite: CrossSite;
  nowMs: () => number;
};

/** Shoppers with a demo session, presented as a bearer token or as a cookie. */
export function createDemoShoppers({ signer, verified, crossSite, nowMs }: DemoOptions): Shoppers {
  function verify(token: string): string {
    const known = verified.shopperOf(token);
    if (known !== undefined) return known;
    const read = signer.read(token, nowMs());
    if (!read) throw new ProblemError('not-authenticated', 'The token is not valid.');
    verified.add(token, { shopperId: read.subject, endsAtMs: read.endsAtMs });
    return read.subject;
  }

  return {
    shopperOf(request) {
      const bearer = bearerOf(request);
      if (bearer !== undefined) return verify(bearer);
      const cookie = cookieOf(request, sessionCookie);
      if (cookie === undefined) return undefined;
      const shopperId = verify(cookie);
      crossSite.check(request, cookie);
      return shopperId;
    },
  };
}

/**
 * Shoppers with a token of the shop's issuer. Verifying a token takes promises. A known token needs none; any other
 * token is verified before its route is entered.
 */
export function createJwtShoppers(jwt: Jwt, verified: VerifiedTokens): Shoppers {
  // By request, not from the cache: the cache may have evicted the token while a slow body arrived.
  const judged = new WeakMap<FastifyRequest, string | ProblemError>();

  return {
    shopperOf(request) {
      const token = bearerOf(request);
      if (token === undefined) return undefined;
      const shopper = judged.get(request) ?? verified.shopperOf(token);
      if (typeof shopper === 'string') return shopper;
      throw shopper ?? new ProblemError('not-authenticated', 'The token is not valid.');
    },
    onRequest(request, _reply, done) {
      jwt.keepFresh();
      const token = bearerOf(request);
      // API keys and operators' secrets do not have this format.
      if (token === undefined || verified.shopperOf(token) !== undefined || !isJwt(token)) return done();
      void jwt.verify(token).then(verdict => {
        const isRefused = verdict instanceof ProblemError;
        if (!isRefused) verified.add(token, verdict);
        judged.set(request, isRefused ? verdict : verdict.shopperId);
        done();
      });
    },
  };
}

function isJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
}
