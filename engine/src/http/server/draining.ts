import type { FastifyInstance } from 'fastify';
import { endsWithin, sleep } from '../../platform/backoff.js';
import { sendProblem } from '../answers/send-problem.js';

export type Draining = {
  isOn(): boolean;
  /** Refuses new requests, lets those in work finish for at most `timeoutMs`, and closes the server. */
  drain(timeoutMs: number): Promise<void>;
};

/**
 * Lets a server stop without dropping a request.
 *
 * @param delayMs how long it goes on listening, not ready any more: requests that were on their way arrive within this and
 * are answered, not reset, and load balancers notice.
 */
export function createDraining(server: FastifyInstance, delayMs: number): Draining {
  let isDraining = false;

  // Load balancers that have not noticed yet get an answer.
  server.addHook('onRequest', (_request, reply, done) => {
    if (!isDraining) return done();
    sendProblem(reply, 'unavailable', 'This process is shutting down.');
  });
  // A connection that stays open behind its last answer would hold the server open until it idles out.
  server.addHook('onSend', (_request, reply, _payload, done) => {
    if (isDraining) reply.header('connection', 'close');
    done();
  });

  return {
    isOn: () => isDraining,
    async drain(timeoutMs) {
      isDraining = true;
      await sleep(delayMs);
      const closed = server.close();
      await endsWithin(closed, timeoutMs);
      // Half a request, or a connection that has never sent one, does not hold a process that has to go.
      server.server.closeAllConnections();
      await closed;
    },
  };
}
