import type { FastifyReply, FastifyRequest } from 'fastify';
import { uuidv7 } from 'uuidv7';

/**
 * The id of a request in answers, logs and the operators' trail. It is the id from the proxy, or one that is made on
 * first use. From then on the answer carries it as X-Request-Id.
 */
export function nameRequest({ headers }: FastifyRequest, reply: FastifyReply): string {
  const known = reply.getHeader('x-request-id');
  if (typeof known === 'string') return known;
  const given = headers['x-request-id'];
  const requestId = typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : uuidv7();
  reply.header('x-request-id', requestId);
  return requestId;
}
