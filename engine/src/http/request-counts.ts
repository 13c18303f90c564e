import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { createHistogram, type Histogram } from '../platform/telemetry/histogram.js';
import { isStream } from './route-class.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** `performance.now()` when its route was entered; 0 where it was refused before that. */
    enteredAtMs: number;
  }
}

/** What the requests of one route, or of none, have come to: plain numbers, read by whoever shows them. */
export type RouteCounts = {
  route: string;
  method: string;
  /** How many were answered with a status, by the status. */
  answered: Map<number, number>;
  /** Of those that are answered at once, not of streams. */
  durationS: Histogram;
};

export type RequestCounts = {
  of(method: string, route: string): RouteCounts;
  all(): readonly RouteCounts[];
};

/** Fine where answers are fast, since their percentiles are read from it. */
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

/** For routes that are none: pages, and what is not found or refused before the router. */
export const noRoute = { page: '(page)', unknown: '(unknown)', full: '(full)' } as const;

/**
 * Counts what each route answers, and how long it takes: from when the route is entered, which is before its body is read,
 * to when its answer is handed to the socket. Each route has hooks of its own that know where to count, so that a request
 * costs two readings of the clock and no look-up.
 */
export function countRequests(
  app: FastifyInstance,
  counts: RequestCounts,
  isPage: (request: FastifyRequest) => boolean,
): void {
  app.decorateRequest('enteredAtMs', 0);
  app.addHook('onRoute', route => {
    const own = counts.of([route.method].flat().join(), route.url);
    if (isStream(route)) return countStreams(route, own);
    route.onRequest = [enter, ...[route.onRequest ?? []].flat()];
    route.onSend = [...[route.onSend ?? []].flat(), createCount(own)];
  });
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (request.is404) {
      const route = isPage(request) ? noRoute.page : noRoute.unknown;
      count(counts.of(methodOf(request.method), route), request, reply);
    }
    done();
  });
}

function enter(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  request.enteredAtMs = performance.now();
  done();
}

function createCount(counts: RouteCounts) {
  return (request: FastifyRequest, reply: FastifyReply, _payload: unknown, done: () => void): void => {
    count(counts, request, reply);
    done();
  };
}

function count(counts: RouteCounts, { enteredAtMs }: FastifyRequest, { statusCode }: FastifyReply): void {
  countStatus(counts, statusCode);
  counts.durationS.observe(enteredAtMs === 0 ? 0 : (performance.now() - enteredAtMs) / 1000);
}

export function countStatus({ answered }: RouteCounts, statusCode: number): void {
  answered.set(statusCode, (answered.get(statusCode) ?? 0) + 1);
}

/** A stream has no end that anybody waits for: it is counted once it is over, without its duration. */
function countStreams(route: RouteOptions, counts: RouteCounts): void {
  const follow = (_request: FastifyRequest, { raw }: FastifyReply, done: () => void) => {
    raw.once('close', () => countStatus(counts, raw.statusCode));
    done();
  };
  route.onRequest = [follow, ...[route.onRequest ?? []].flat()];
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Anybody may send any method; a label may not have any value. */
export function methodOf(method: string): string {
  return methods.has(method) ? method : 'other';
}
