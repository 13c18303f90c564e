import type { RouteOptions } from 'fastify';
import type { Urgency } from '../../admission/shedding.js';

/**
 * How the layers of protection treat a route. They never refuse `free` routes: the answers to probes decide whether the
 * process is kept running, operators are needed most during overload, and a provider's webhooks are signed and come
 * from few addresses. A `stream` stays open for long, and is counted with the streams.
 */
export type RouteClass = Urgency | 'stream' | 'free';

const classes: Record<string, RouteClass> = {
  // A checkout code finishes an order. New purchases are shed as buying in the entrance, once the body is read.
  'POST /api/purchase': 'finishing',
  'GET /api/orders': 'finishing',
  'GET /api/orders/:id': 'finishing',
  'DELETE /api/orders/:id': 'finishing',
  'GET /api/orders/:id/events': 'stream',
  'GET /api/stock/:productId/events': 'stream',
  'POST /api/checkout': 'buying',
  'POST /api/orders': 'buying',
  'POST /api/session': 'buying',
  'POST /api/users': 'buying',
  'POST /api/users/batch': 'buying',
  'POST /api/webhooks/payments': 'free',
  'GET /api/live': 'free',
  'GET /api/health': 'free',
  'GET /api/ready': 'free',
  'GET /api/users/health': 'free',
};

/**
 * Whether requests for a path count among the requests in progress. This is asked before the router, where only the
 * path is known. It also counts a few unknown paths needlessly, but no client needs those.
 */
export function countsAsWork(url: string): boolean {
  return !isForOperations(url) && !url.endsWith('/events');
}

/** Whether a path belongs to operators' calls or to the probes that decide whether the process is kept running. */
export function isForOperations(url: string): boolean {
  return url.startsWith('/api/admin/') || freePaths.has(url);
}

const freePaths = new Set(
  Object.entries(classes)
    .filter(([, routeClass]) => routeClass === 'free')
    .map(([route]) => route.split(' ')[1] ?? ''),
);

/** A route that is not listed counts as browsing: a new route is the first to be refused until it gets a class. */
export function classOf({ method, url }: Pick<RouteOptions, 'method' | 'url'>): RouteClass {
  if (url.startsWith('/api/admin/')) return 'free';
  const [verb = ''] = [method].flat();
  return classes[`${verb === 'HEAD' ? 'GET' : verb} ${url}`] ?? 'browsing';
}

/** Whether an answer of this route stays open for as long as its reader is connected. */
export function isStream(route: Pick<RouteOptions, 'method' | 'url'>): boolean {
  return classOf(route) === 'stream' || route.url === '/api/admin/live';
}
