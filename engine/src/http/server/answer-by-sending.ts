import type { FastifyReply } from 'fastify';

/**
 * For a route whose answer is sent by its reply alone: what is still to be done tells of errors, and of nothing else. Given
 * back to Fastify, a reply is waited for with a dozen listeners on its response; on the road of a million refusals nobody
 * asks when the last byte is gone.
 */
export function bySending(reply: FastifyReply, answering: Promise<unknown>): void {
  answering.catch((error: unknown) => reply.send(error));
}
