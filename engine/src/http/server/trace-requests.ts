import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Span, Tracing } from '../../platform/telemetry/tracing.js';
import { isStream } from '../limits/route-class.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The request's span; undefined if it is not traced, and for streams and pages. */
    span: Span | undefined;
  }
}

// Orchestrators call these every few seconds, and their traces are of no interest.
const untraced = new Set(['/api/live', '/api/health', '/api/ready', '/api/users/health']);

/**
 * Makes a span for each request of a route, from entering it, before the body is read, to the end of its answer. The
 * span continues the client's `traceparent`. If that is missing or invalid, it begins a new trace.
 */
export function traceRequests(
  app: FastifyInstance,
  tracing: Tracing,
  isWarmingUp: () => boolean = () => false,
): void {
  app.addHook('onRoute', route => {
    const { url } = route;
    if (isStream(route) || untraced.has(url)) return;
    const method = [route.method].flat().join();
    const attributes = { 'http.request.method': method, 'http.route': url };
    const start = (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
      if (isWarmingUp()) return done();
      const parent = request.headers.traceparent;
      const span = tracing.start(`${method} ${url}`, { kind: 'server', parent, attributes });
      request.span = span;
      // This also happens if the client disconnects before it has its answer.
      if (span.isRecorded) reply.raw.once('close', () => end(span, reply));
      done();
    };
    route.onRequest = [start, route.onRequest ?? []].flat();
  });
}

function end(span: Span, { raw }: FastifyReply): void {
  if (raw.headersSent) span.set({ 'http.response.status_code': raw.statusCode });
  if (!raw.writableFinished) span.fail(new Error('the client disconnected'));
  else if (raw.statusCode >= 500) span.fail(new Error(`answered ${raw.statusCode}`));
  span.end();
}
