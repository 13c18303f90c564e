import type { FastifyInstance } from 'fastify';
import { endsWithin, sleep } from '../../platform/backoff.js';
import { sendProblem } from '../answers/send-problem.js';

export type Draining = {
  isOn(): boolean;
  /** Refuses new requests, lets those in progress finish for at most `timeoutMs`, and closes the server. */
  drain(timeoutMs: number): Promise<void>;
};

/**
 * Lets a server stop without dropping a request.
 *
 * @param delayMs how long it keeps listening after it reports that it is not ready. Requests under way arrive within
 * this time and are answered instead of reset, and load balancers notice.
 */
export function createDraining(server: FastifyInstance, delayMs: number): Draining {
  let isDraining = false;

  // Load balancers that have not noticed yet still get an answer.
  server.addHook('onRequest', (_request, reply, done) => {
    if (!isDraining) return done();
    sendProblem(reply, 'unavailable', 'This process is shutting down.');
  });
  // A connection kept alive after its last answer would hold the server open until it idles out.
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
      // An incomplete request, or a connection that never sent one, must not keep the process from stopping.
      server.server.closeAllConnections();
      await closed;
    },
  };
}
