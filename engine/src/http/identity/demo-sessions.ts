import type { FastifyRequest } from 'fastify';
import type { Config } from '../../platform/config/config.js';
import { cookieText } from './credentials.js';
import type { CrossSite } from './cross-site.js';
import { csrfCookie, sessionCookie } from './shoppers.js';
import type { TokenSigner } from './signed-token.js';

type DemoSession = { token: string; csrfToken: string; expiresAt: Date; cookies: string[] };

/** Sessions of anonymous demo shoppers. */
export type DemoSessions = {
  /** @throws ProblemError forbidden-origin: another site's page could sign its visitors in as a different shopper. */
  checkOrigin(request: FastifyRequest): void;
  issue(request: FastifyRequest, userId: number): DemoSession;
};

export type DemoSessionsOptions = {
  config: Config;
  signer: TokenSigner;
  crossSite: CrossSite;
  nowMs: () => number;
};

export function createDemoSessions({ config, signer, crossSite, nowMs }: DemoSessionsOptions): DemoSessions {
  const maxAgeSeconds = config.SESSION_TTL_SECONDS;
  return {
    checkOrigin: crossSite.checkOrigin,
    issue(request, userId) {
      const endsAtMs = nowMs() + maxAgeSeconds * 1000;
      const token = signer.sign({ subject: String(userId), endsAtMs });
      const csrfToken = crossSite.tokenFor(token);
      const common = { maxAgeSeconds, sameSite: 'Lax', isSecure: isSecure(config, request) } as const;
      const cookies = [
        cookieText({ name: sessionCookie, value: token, ...common }),
        cookieText({ name: csrfCookie, value: csrfToken, ...common, isReadable: true }),
      ];
      return { token, csrfToken, expiresAt: new Date(endsAtMs), cookies };
    },
  };
}

/** Whether a cookie is only for encrypted connections. */
export function isSecure({ COOKIE_SECURE, NODE_ENV }: Config, { protocol }: FastifyRequest): boolean {
  if (COOKIE_SECURE !== 'auto') return COOKIE_SECURE === 'true';
  return NODE_ENV === 'production' || protocol === 'https';
}
