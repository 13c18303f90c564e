import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** It is counted among the requests in work. */
    isInFlight: boolean;
  }
}

/** The requests of this process that are read and not answered yet. */
export type RequestsInWork = {
  count(): number;
  isFull(): boolean;
  /** Counts a request until it is answered. */
  add(request: FastifyRequest): void;
};

/** @param inFlightMax 0 is no limit. */
export function createRequestsInWork(app: FastifyInstance, inFlightMax: number): RequestsInWork {
  let inFlight = 0;
  app.decorateRequest('isInFlight', false);
  app.addHook('onSend', (request, _reply, _payload, done) => {
    if (request.isInFlight) inFlight -= 1;
    // An answer that fails on its way is followed by another one.
    request.isInFlight = false;
    done();
  });
  return {
    count: () => inFlight,
    isFull: () => inFlightMax > 0 && inFlight >= inFlightMax,
    add(request) {
      request.isInFlight = true;
      inFlight += 1;
    },
  };
}
