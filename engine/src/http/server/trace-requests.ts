import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Span, Tracing } from '../../platform/telemetry/tracing.js';
import { isStream } from '../limits/route-class.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the trace that it belongs to; undefined where none is kept, and of streams and pages. */
    span: Span | undefined;
  }
}

// Asked every few seconds by whoever keeps processes running: nobody looks for these.
const untraced = new Set(['/api/live', '/api/health', '/api/ready', '/api/users/health']);

/**
 * A span for each request of a route, from its entry, before the body is read, to the end of its answer. It goes on from
 * the `traceparent` that the client sends; one that is none begins a trace, as no header does.
 */
export function traceRequests(app: FastifyInstance, tracing: Tracing): void {
  app.addHook('onRoute', route => {
    const { url } = route;
    if (isStream(route) || untraced.has(url)) return;
    const method = [route.method].flat().join();
    const attributes = { 'http.request.method': method, 'http.route': url };
    const start = (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
      const parent = request.headers.traceparent;
      const span = tracing.start(`${method} ${url}`, { kind: 'server', parent, attributes });
      request.span = span;
      // Also where the client goes away before it has its answer.
      if (span.isRecorded) reply.raw.once('close', () => end(span, reply));
      done();
    };
    route.onRequest = [start, route.onRequest ?? []].flat();
  });
}

function end(span: Span, { raw }: FastifyReply): void {
  if (raw.headersSent) span.set({ 'http.response.status_code': raw.statusCode });
  if (!raw.writableFinished) span.fail(new Error('the client went away'));
  else if (raw.statusCode >= 500) span.fail(new Error(`answered ${raw.statusCode}`));
  span.end();
}
