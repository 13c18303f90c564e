import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether it is counted among the requests in progress. */
    isInFlight: boolean;
  }
}

/** The requests that this process has read but not answered yet. */
export type RequestsInWork = {
  count(): number;
  isFull(): boolean;
  /** Counts a request until it is answered. */
  add(request: FastifyRequest): void;
};

/** @param inFlightMax 0 means no limit. */
export function createRequestsInWork(app: FastifyInstance, inFlightMax: number): RequestsInWork {
  let inFlight = 0;
  app.decorateRequest('isInFlight', false);
  app.addHook('onSend', (request, _reply, _payload, done) => {
    if (request.isInFlight) inFlight -= 1;
    // If sending an answer fails, another answer follows.
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
