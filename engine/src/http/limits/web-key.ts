import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

/**
 * Whether a request comes from the web process, whose address stands for everyone who looks at pages. Its key exempts
 * it from the limit per address, and grants nothing else.
 */
export function createIsOfWeb(webKey: string | undefined): (request: FastifyRequest) => boolean {
  if (webKey === undefined) return () => false;
  const expected = digestOf(webKey);
  return ({ headers }) => {
    const given = headers['x-web-key'];
    return typeof given === 'string' && timingSafeEqual(digestOf(given), expected);
  };
}

// The comparison needs digests of equal length, whatever the caller sent.
function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
