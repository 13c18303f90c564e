import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

/**
 * Whether a request comes from the web process, whose address stands for everybody who looks at pages. Its key lets it ask
 * as often as it has to, and is good for nothing else.
 */
export function createIsOfWeb(webKey: string | undefined): (request: FastifyRequest) => boolean {
  if (webKey === undefined) return () => false;
  const expected = digestOf(webKey);
  return ({ headers }) => {
    const given = headers['x-web-key'];
    return typeof given === 'string' && timingSafeEqual(digestOf(given), expected);
  };
}

// Of one length whatever was given, as the comparison wants it.
function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
