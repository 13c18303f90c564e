import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../answers/send-problem.js';

/** Keeps other sites from acting with the cookies of their visitors. */
export type CrossSite = {
  /**
   * Checks a request that is authenticated by a cookie.
   *
   * @throws ProblemError forbidden-origin, or csrf if no header names the page's origin and the token is missing.
   */
  check(request: FastifyRequest, session: string): void;
  /** Checks a request that will set a cookie. @throws ProblemError forbidden-origin */
  checkOrigin(request: FastifyRequest): void;
  /** The X-CSRF-Token, which proves that a page can read what belongs to the session. */
  tokenFor(session: string): string;
};

export type CrossSiteOptions = {
  csrfSecret: string;
  /** Other origins that may act with cookies. */
  allowedOrigins: readonly string[];
};

export function createCrossSite({ csrfSecret, allowedOrigins }: CrossSiteOptions): CrossSite {
  const allowed = new Set(allowedOrigins);
  const tokenFor = (session: string) =>
    createHmac('sha256', csrfSecret).update(`csrf:${session}`).digest('base64url');

  // Browsers say which page a request comes from, and pages cannot change that: in Sec-Fetch-Site (introduced between
  // 2020 and 2023), and before that in the Origin of everything but GET and HEAD.
  function isOwnPage(request: FastifyRequest): boolean | undefined {
    const { 'sec-fetch-site': site, origin } = request.headers;
    if (origin !== undefined && allowed.has(origin)) return true;
    if (site !== undefined) return site === 'same-origin' || site === 'none';
    return origin === undefined ? undefined : hostOf(origin) === request.host.toLowerCase();
  }

  function checkOrigin(request: FastifyRequest): boolean {
    const isOwn = isOwnPage(request);
    if (isOwn === false) throw new ProblemError('forbidden-origin');
    return isOwn === true;
  }

  return {
    check(request, session) {
      if (isSafe[request.method] || checkOrigin(request)) return;
      const given = request.headers['x-csrf-token'];
      if (typeof given !== 'string' || !isSame(given, tokenFor(session))) throw new ProblemError('csrf');
    },
    checkOrigin: request => void checkOrigin(request),
    tokenFor,
  };
}

/** Methods that change nothing. */
export const isSafe: Partial<Record<string, true>> = { GET: true, HEAD: true, OPTIONS: true };

// The scheme is ignored: behind a proxy that terminates TLS the engine does not know its own.
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1];
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
