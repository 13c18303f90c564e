import type { FastifyInstance } from 'fastify';

// What a page from another origin may send and read besides what is always allowed.
const allowedHeaders = 'authorization, content-type, idempotency-key, last-event-id, x-csrf-token, x-user-id';
const exposedHeaders =
  'idempotency-replayed, link, location, ratelimit, ratelimit-policy, retry-after, x-request-id';
const allowedMethods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
// Chromium keeps a preflight for two hours at most; with this bound a change takes effect within ten minutes.
const preflightAgeMaxSeconds = 600;

/**
 * Lets pages of the given origins call the API, with cookies. Without origins it adds nothing to a request. Register it
 * first, so that pages can also read refusals.
 */
export function registerCors(server: FastifyInstance, origins: readonly string[] = []): void {
  if (origins.length === 0) return;
  const allowed = new Set(origins);

  server.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    // Caches must keep answers apart by origin, including those to requests without one.
    reply.header('vary', 'Origin');
    if (origin === undefined || !allowed.has(origin)) return done();
    reply.header('access-control-allow-origin', origin);
    reply.header('access-control-allow-credentials', 'true');
    reply.header('access-control-expose-headers', exposedHeaders);
    if (request.method !== 'OPTIONS' || !('access-control-request-method' in request.headers)) return done();
    reply.header('access-control-allow-methods', allowedMethods);
    reply.header('access-control-allow-headers', allowedHeaders);
    reply.header('access-control-max-age', preflightAgeMaxSeconds);
    reply.code(204).send();
  });
}
