import type { FastifyReply } from 'fastify';

/**
 * For a route that sends its own answer: the promise only reports errors. If the reply were returned to Fastify,
 * Fastify would wait for it with a dozen listeners on the response, and nothing on the path of a million refusals needs
 * to know when the last byte is sent.
 */
export function bySending(reply: FastifyReply, answering: Promise<unknown>): void {
  answering.catch((error: unknown) => reply.send(error));
}
