import type { FastifyReply, FastifyRequest } from 'fastify';
import { uuidv7 } from 'uuidv7';

/**
 * What one request is called in answers, logs and the operators' trail: the name that a proxy gave it, else one of ours,
 * made when somebody first has something to say about it. The answer has it as X-Request-Id from then on.
 */
export function nameRequest({ headers }: FastifyRequest, reply: FastifyReply): string {
  const known = reply.getHeader('x-request-id');
  if (typeof known === 'string') return known;
  const given = headers['x-request-id'];
  const requestId = typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : uuidv7();
  reply.header('x-request-id', requestId);
  return requestId;
}
