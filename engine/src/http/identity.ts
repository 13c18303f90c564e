import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { ProblemError } from './problem.js';

/** Who is calling: the shop's own server, which names its shoppers, or a shopper with a demo session. */
export type Caller = { kind: 'service' } | { kind: 'shopper'; shopperId: string };

export type Identity = {
  /** @throws ProblemError not-authenticated */
  callerOf(request: FastifyRequest): Caller;
  /** Whether the call presents the API key or the operator's secret; never throws. */
  isOfShop(request: FastifyRequest): boolean;
  /** @throws ProblemError not-authenticated (no token) or forbidden (a shopper's or the shop's) */
  requireOperator(request: FastifyRequest): void;
  /** A signed token for a demo shopper; there only while the demo identity is on. */
  issueSession: ((userId: number) => string) | undefined;
};

export type IdentityOptions = {
  mode: 'demo' | 'trusted';
  apiKey: string;
  operatorToken: string;
  /** Signs demo sessions. */
  secretKey: string;
};

/**
 * The shopper that a request is for. Only the shop's own server may name one.
 *
 * @param named `userId` of the body or, where there is none, the X-User-Id header.
 * @throws ProblemError invalid
 */
export function shopperOf(caller: Caller, named: string | undefined): string {
  if (caller.kind === 'shopper') {
    if (named === undefined) return caller.shopperId;
    throw new ProblemError('invalid', 'userId: only a call with the API key may name the shopper');
  }
  if (named !== undefined) return named;
  throw new ProblemError('invalid', 'userId: expected the shopper, in the body or as the X-User-Id header');
}

export const sessionCookie = 'doorbuster_session';

// A shopper sends the same token with each request, and checking it costs ten times a look-up.
const verifiedTokensMax = 10_000;

export function createIdentity({ mode, apiKey, operatorToken, secretKey }: IdentityOptions): Identity {
  const isApiKey = createSecretCheck(apiKey);
  const isOperatorToken = createSecretCheck(operatorToken);
  const verified = new LRUCache<string, string>({ max: verifiedTokensMax });

  function shopperOfToken(token: string): string | undefined {
    const known = verified.get(token);
    if (known !== undefined || mode !== 'demo') return known;
    const shopperId = readToken(token, secretKey);
    if (shopperId !== undefined) verified.set(token, shopperId);
    return shopperId;
  }

  return {
    callerOf(request) {
      const token = bearerOf(request) ?? cookieOf(request);
      if (token === undefined) throw new ProblemError('not-authenticated');
      if (isApiKey(token)) return { kind: 'service' };
      const shopperId = shopperOfToken(token);
      if (shopperId === undefined) throw new ProblemError('not-authenticated', 'The token is not valid.');
      return { kind: 'shopper', shopperId };
    },
    isOfShop(request) {
      const token = bearerOf(request);
      return token !== undefined && (isApiKey(token) || isOperatorToken(token));
    },
    requireOperator(request) {
      const token = bearerOf(request);
      if (token === undefined) throw new ProblemError('not-authenticated');
      if (isOperatorToken(token)) return;
      const isKnown = isApiKey(token) || shopperOfToken(token) !== undefined;
      throw new ProblemError(isKnown ? 'forbidden' : 'not-authenticated');
    },
    issueSession: mode === 'demo' ? userId => signToken(String(userId), secretKey) : undefined,
  };
}

/** Takes the same time for every token of the secret's length; the length of a random secret tells nothing. */
function createSecretCheck(secret: string): (token: string) => boolean {
  const expected = Buffer.from(secret, 'latin1');
  return token => token.length === expected.length && timingSafeEqual(Buffer.from(token, 'latin1'), expected);
}

function bearerOf(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization;
  return header?.startsWith('Bearer ') ? header.slice(7) : undefined;
}

function cookieOf(request: FastifyRequest): string | undefined {
  const header = request.headers.cookie;
  if (!header) return undefined;
  const prefix = `${sessionCookie}=`;
  const pair = header.split(';').find(part => part.trimStart().startsWith(prefix));
  return pair?.trim().slice(prefix.length);
}

function signToken(shopperId: string, secretKey: string): string {
  return `${shopperId}.${signatureOf(shopperId, secretKey)}`;
}

function readToken(token: string, secretKey: string): string | undefined {
  const [, shopperId, signature] = /^(\d{1,16})\.([\w-]{43})$/.exec(token) ?? [];
  if (shopperId === undefined || signature === undefined) return undefined;
  const expected = signatureOf(shopperId, secretKey);
  return timingSafeEqual(Buffer.from(signature), Buffer.from(expected)) ? shopperId : undefined;
}

function signatureOf(shopperId: string, secretKey: string): string {
  return createHmac('sha256', secretKey).update(`session:${shopperId}`).digest('base64url');
}
