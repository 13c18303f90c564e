import { createHmac, randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import {
  createOperatorSessions,
  type OperatorSession,
  type OperatorSessions,
} from '../../operators/sessions.js';
import type { Config } from '../../platform/config/config.js';
import type { Queryable } from '../../platform/postgres.js';
import type { Secrets } from '../../platform/secrets.js';
import { ProblemError } from '../answers/send-problem.js';
import { bearerOf, cookieOf, cookieText } from './credentials.js';
import type { CrossSite } from './cross-site.js';
import { isSecure } from './demo-sessions.js';
import { createGuessing } from './guessing.js';
import { createTokenSigner } from './signed-token.js';

/** The acting operator: with a session, or without one if the request presents the secret itself. */
type Operator = { name: string; session: OperatorSession | undefined };

type SignedIn = { session: OperatorSession; csrfToken: string; cookies: string[] };

export type Operators = {
  /** @throws ProblemError not-authenticated, forbidden, locked-out, forbidden-origin or csrf */
  require(request: FastifyRequest): Promise<void>;
  /** The operator that `require` found. */
  of(request: FastifyRequest): Operator | undefined;
  /** @throws ProblemError not-authenticated or locked-out */
  signIn(request: FastifyRequest, name: string, secret: string): Promise<SignedIn>;
  /** Set-Cookie headers that remove the session from the browser. */
  signedOutCookies(request: FastifyRequest): string[];
  /** The token that goes with the request's own session. */
  csrfTokenOf(request: FastifyRequest): string | null;
  sessions: OperatorSessions;
  checkOrigin(request: FastifyRequest): void;
};

export type OperatorsOptions = {
  config: Config;
  secrets: Secrets;
  db: Queryable;
  nowMs: () => number;
  crossSite: CrossSite;
  /** Finds the shopper or the shop's server. @throws ProblemError for an invalid token */
  callerIfAny: (request: FastifyRequest) => unknown;
};

export const operatorCookie = 'doorbuster_operator';
const operatorCsrfCookie = 'doorbuster_operator_csrf';
// A browser's user agent takes about a hundred characters; longer ones are cut, so that a row stays small.
const userAgentCharactersMax = 200;

export function createOperators(options: OperatorsOptions): Operators {
  const { config, secrets, db, nowMs, crossSite } = options;
  const signer = createTokenSigner(secrets.secretKey, 'operator-session');
  const marks = secretMarksOf(secrets);
  const sessions = createOperatorSessions(db, [...marks.values()]);
  const { checkSecret, operatorOfBearer } = createGuessing(options);
  const found = new WeakMap<FastifyRequest, Operator>();

  async function ofCookie(request: FastifyRequest, cookie: string): Promise<Operator> {
    const signed = signer.read(cookie, nowMs());
    const session = signed && (await sessions.find(signed.subject));
    if (!session)
      throw new ProblemError('not-authenticated', 'This session has ended. Please sign in again.');
    crossSite.check(request, cookie);
    return { name: session.operator, session };
  }

  async function operatorOf(request: FastifyRequest): Promise<Operator> {
    const cookie = cookieOf(request, operatorCookie);
    if (bearerOf(request) === undefined && cookie !== undefined) return ofCookie(request, cookie);
    return { name: operatorOfBearer(request), session: undefined };
  }

  function cookiesOf(request: FastifyRequest, token: string, csrfToken: string, maxAgeSeconds: number) {
    const common = { maxAgeSeconds, sameSite: 'Strict', isSecure: isSecure(config, request) } as const;
    return [
      cookieText({ name: operatorCookie, value: token, ...common }),
      cookieText({ name: operatorCsrfCookie, value: csrfToken, ...common, isReadable: true }),
    ];
  }

  return {
    async require(request) {
      found.set(request, await operatorOf(request));
    },
    of: request => found.get(request),
    async signIn(request, name, secret) {
      checkSecret(request, name, secret);
      const ttlSeconds = config.OPERATOR_SESSION_TTL_SECONDS;
      const userAgent = (request.headers['user-agent'] ?? '').slice(0, userAgentCharactersMax);
      const session = await sessions.create({
        sessionId: randomUUID(),
        operator: name,
        ip: request.ip,
        userAgent,
        secretMark: marks.get(name) ?? '',
        ttlSeconds,
      });
      const token = signer.sign({ subject: session.sessionId, endsAtMs: session.endsAt.getTime() });
      const csrfToken = crossSite.tokenFor(token);
      return { session, csrfToken, cookies: cookiesOf(request, token, csrfToken, ttlSeconds) };
    },
    signedOutCookies: request => cookiesOf(request, '', '', 0),
    csrfTokenOf(request) {
      const cookie = cookieOf(request, operatorCookie);
      return cookie === undefined || !found.get(request)?.session ? null : crossSite.tokenFor(cookie);
    },
    sessions,
    checkOrigin: crossSite.checkOrigin,
  };
}

/**
 * A mark per operator that is stored with their sessions in place of the secret. It is keyed, so that a copy of the
 * database does not help an attacker guess the secret.
 */
function secretMarksOf({ operators, secretKey }: Secrets): Map<string, string> {
  const markOf = (text: string) => createHmac('sha256', secretKey).update(text).digest('base64url');
  return new Map(operators.map(({ name, secret }) => [name, markOf(`operator:${name}:${secret}`)]));
}
