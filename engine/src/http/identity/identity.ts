import type { FastifyRequest, onRequestHookHandler } from 'fastify';
import type { Config } from '../../platform/config/config.js';
import type { Queryable } from '../../platform/postgres.js';
import type { Secrets } from '../../platform/secrets.js';
import { ProblemError } from '../answers/send-problem.js';
import { bearerOf } from './credentials.js';
import { createCrossSite } from './cross-site.js';
import { createDemoSessions, type DemoSessions } from './demo-sessions.js';
import { createJwt } from './jwt.js';
import { createOperators, type Operators } from './operator-identity.js';
import { createSecretCheck } from './secret-check.js';
import { createDemoShoppers, createJwtShoppers, noShoppers, type Shoppers } from './shoppers.js';
import { createTokenSigner } from './signed-token.js';
import { createVerifiedTokens } from './verified-tokens.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether it presents an API key; undefined until first asked. */
    isOfShop: boolean | undefined;
  }
}

/** The caller: the shop's own server, which names its shoppers, or a shopper. */
export type Caller = { kind: 'service' } | { kind: 'shopper'; shopperId: string };

export type Identity = {
  /** @throws ProblemError not-authenticated, or forbidden-origin or csrf if another site uses the cookie */
  callerOf(request: FastifyRequest): Caller;
  /** Whether the call presents an API key; never throws. */
  isOfShop(request: FastifyRequest): boolean;
  /** @throws ProblemError not-authenticated, forbidden (for a shopper or the shop), locked-out, or as above */
  requireOperator(request: FastifyRequest): Promise<void>;
  operators: Operators;
  /** Set only with the demo identity. */
  demoSessions: DemoSessions | undefined;
  /** Runs before a route is entered; undefined if there is nothing to do. */
  onRequest: onRequestHookHandler | undefined;
};

export type IdentityOptions = {
  config: Config;
  secrets: Secrets;
  db: Queryable;
  /** By the database's clock, so that a process with a wrong clock neither prolongs nor shortens a session. */
  nowMs: () => number;
  onError: (error: unknown) => void;
};

/**
 * The shopper that a request is for. Only the shop's own server may name a shopper.
 *
 * @param userId from the body. Without it the X-User-Id header counts; if both are present, they must agree.
 * @throws ProblemError invalid
 */
export function shopperOf(caller: Caller, { headers }: FastifyRequest, userId?: string): string {
  const header = headers['x-user-id'];
  const named = userId ?? (typeof header === 'string' ? header : undefined);
  if (caller.kind === 'shopper') {
    if (named === undefined) return caller.shopperId;
    throw new ProblemError('invalid', 'userId: only calls with the API key may name the shopper');
  }
  if (named === undefined) {
    throw new ProblemError('invalid', 'userId: expected the shopper, in the body or as the X-User-Id header');
  }
  if (header === undefined || header === named) return named;
  throw new ProblemError(
    'invalid',
    'userId: expected the same shopper in the body and as the X-User-Id header',
  );
}

export function createIdentity(options: IdentityOptions): Identity {
  const { config, secrets, db, nowMs } = options;
  const crossSite = createCrossSite({
    csrfSecret: secrets.csrfSecret,
    allowedOrigins: config.CORS_ORIGIN ?? [],
  });
  const demoSigner = createTokenSigner(secrets.secretKey, 'session');
  const shoppers = createShoppers(options, demoSigner, crossSite);
  const apiKeyOf = createSecretCheck(secrets.apiKeys);

  // Two layers ask, and hashing the key twice was the most expensive step of a refusal.
  function isOfShop(request: FastifyRequest): boolean {
    request.isOfShop ??= showsApiKey(request);
    return request.isOfShop;
  }

  function showsApiKey(request: FastifyRequest): boolean {
    const bearer = bearerOf(request);
    return bearer !== undefined && apiKeyOf(bearer) >= 0;
  }

  function callerIfAny(request: FastifyRequest): Caller | undefined {
    if (isOfShop(request)) return { kind: 'service' };
    const shopperId = shoppers.shopperOf(request);
    return shopperId === undefined ? undefined : { kind: 'shopper', shopperId };
  }

  const operators = createOperators({ config, secrets, db, nowMs, crossSite, callerIfAny });
  return {
    callerOf(request) {
      const caller = callerIfAny(request);
      if (caller) return caller;
      throw new ProblemError('not-authenticated');
    },
    isOfShop,
    requireOperator: operators.require,
    operators,
    demoSessions:
      config.IDENTITY === 'demo'
        ? createDemoSessions({ config, signer: demoSigner, crossSite, nowMs })
        : undefined,
    onRequest: shoppers.onRequest,
  };
}

function createShoppers(
  { config, nowMs, onError }: IdentityOptions,
  signer: ReturnType<typeof createTokenSigner>,
  crossSite: ReturnType<typeof createCrossSite>,
): Shoppers {
  if (config.IDENTITY === 'trusted') return noShoppers;
  const verified = createVerifiedTokens(nowMs);
  if (config.IDENTITY === 'demo') return createDemoShoppers({ signer, verified, crossSite, nowMs });
  const jwt = createJwt({ config, nowMs, onKeysChanged: verified.clear, onError });
  return createJwtShoppers(jwt, verified);
}
