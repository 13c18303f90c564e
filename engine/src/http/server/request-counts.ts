import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createHistogram, type Histogram } from '../../platform/telemetry/histogram.js';
import { isStream } from '../limits/route-class.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** `performance.now()` when its route was entered. */
    enteredAtMs: number;
    /** Where its answer is counted: undefined before its route is entered, null if it is counted elsewhere. */
    counts: RouteCounts | null | undefined;
  }
}

/** The requests of one route, or of none, in plain numbers. */
export type RouteCounts = {
  route: string;
  method: string;
  /** How many answers had each status. */
  answered: Map<number, number>;
  /** Covers requests that are answered at once, not streams. */
  durationS: Histogram;
};

export type RequestCounts = {
  of(method: string, route: string): RouteCounts;
  all(): readonly RouteCounts[];
};

/** Fine-grained where answers are fast, because percentiles are computed from it. */
export const requestBoundsS = [
  ...[0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075],
  ...[0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10],
];

export function createRequestCounts(): RequestCounts {
  const byName = new Map<string, RouteCounts>();
  return {
    of(method, route) {
      const name = `${method} ${route}`;
      const known = byName.get(name);
      if (known) return known;
      const counts = { route, method, answered: new Map(), durationS: createHistogram(requestBoundsS) };
      byName.set(name, counts);
      return counts;
    },
    all: () => [...byName.values()],
  };
}

/** Names for requests without a route: pages, and requests that are not found or refused before the router. */
export const noRoute = { page: '(page)', unknown: '(unknown)', full: '(full)' } as const;

/**
 * Counts what each route answers, and how long it takes: from entering the route, before the body is read, to handing
 * the answer to the socket. Each route keeps its own counts and passes them to its requests, so a request costs two
 * readings of the clock and no look-up.
 *
 * @param onTimed called with the duration of each request while its headers can still be changed.
 * @returns a function to call for each answer.
 */
export function countRequests(
  app: FastifyInstance,
  counts: RequestCounts,
  isPage: (request: FastifyRequest) => boolean,
  onTimed: (request: FastifyRequest, reply: FastifyReply, durationMs: number) => void,
): (request: FastifyRequest, reply: FastifyReply) => void {
  app.decorateRequest('enteredAtMs', 0);
  app.decorateRequest('counts', undefined);
  app.addHook('onRoute', route => {
    const own = counts.of([route.method].flat().join(), route.url);
    route.onRequest = [isStream(route) ? createFollow(own) : createEnter(own), route.onRequest ?? []].flat();
  });

  // For requests without a route, or refused before their route was entered.
  function countsOf(request: FastifyRequest): RouteCounts {
    const route = isPage(request) ? noRoute.page : noRoute.unknown;
    return counts.of(methodOf(request.method), request.routeOptions.url ?? route);
  }

  return (request, reply) => {
    if (request.counts === null) return;
    const own = request.counts ?? countsOf(request);
    const durationMs = request.counts ? performance.now() - request.enteredAtMs : 0;
    countStatus(own, reply.statusCode);
    own.durationS.observe(durationMs / 1000);
    if (request.counts) onTimed(request, reply, durationMs);
  };
}

type OnRequest = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

function createEnter(counts: RouteCounts): OnRequest {
  return (request, _reply, done) => {
    request.counts = counts;
    request.enteredAtMs = performance.now();
    done();
  };
}

/** Nobody waits for the end of a stream, so it is counted once it is over, without its duration. */
function createFollow(counts: RouteCounts): OnRequest {
  return (request, { raw }, done) => {
    request.counts = null;
    raw.once('close', () => countStatus(counts, raw.statusCode));
    done();
  };
}

export function countStatus({ answered }: RouteCounts, statusCode: number): void {
  answered.set(statusCode, (answered.get(statusCode) ?? 0) + 1);
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Callers may send any method, but a label must have a bounded set of values. */
export function methodOf(method: string): string {
  return methods.has(method) ? method : 'other';
}
