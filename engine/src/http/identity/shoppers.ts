import type { FastifyRequest, onRequestHookHandler } from 'fastify';
import { ProblemError } from '../answers/send-problem.js';
import { bearerOf, cookieOf } from './credentials.js';
import type { CrossSite } from './cross-site.js';
import type { Jwt } from './jwt.js';
import type { TokenSigner } from './signed-token.js';
import type { VerifiedTokens } from './verified-tokens.js';

/** Finds out whose token a request shows, in one mode of identity. */
export type Shoppers = {
  /** @returns undefined where no token is shown. @throws ProblemError if it is not valid, or another site's doing. */
  shopperOf(request: FastifyRequest): string | undefined;
  /** Does beforehand what can not be done at once; there only where there is such a thing. */
  onRequest?: onRequestHookHandler;
};

/** No shopper comes by themselves: the shop's own server speaks for all of them. */
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

/** Shoppers with a session of ours, shown as a bearer token or as a cookie. */
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
 * Shoppers with a token of the shop's issuer. Verifying one takes promises; what is known needs none, and a token that is
 * not is verified before its route is entered.
 */
export function createJwtShoppers(jwt: Jwt, verified: VerifiedTokens): Shoppers {
  // By request and not from the cache: that may have forgotten the token again while a slow body came in.
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
      // API keys and operators' secrets are not of this form.
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
