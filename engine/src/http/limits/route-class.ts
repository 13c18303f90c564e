import type { RouteOptions } from 'fastify';
import type { Urgency } from '../../admission/shedding.js';

/**
 * How the layers of protection see a route. `free` ones are never refused by them: what orchestrators ask decides over the
 * life of the process, operators are needed most when it is overloaded, and a provider's webhooks come from few addresses
 * and are signed. A `stream` stays open for long, and is counted where streams are.
 */
export type RouteClass = Urgency | 'stream' | 'free';

const classes: Record<string, RouteClass> = {
  // A code that is presented finishes an order; the entrance refuses what is new as buying, when it has read the body.
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
 * Whether a path is counted among the requests in work: asked before the router, where only the path is known. The few that
 * are refused by it all the same are those that nobody needs.
 */
export function countsAsWork(url: string): boolean {
  return !isForOperations(url) && !url.endsWith('/events');
}

/** Whether a path is of an operator's call, or of those that decide over the life of the process. */
export function isForOperations(url: string): boolean {
  return url.startsWith('/api/admin/') || freePaths.has(url);
}

const freePaths = new Set(
  Object.entries(classes)
    .filter(([, routeClass]) => routeClass === 'free')
    .map(([route]) => route.split(' ')[1] ?? ''),
);

/** Whatever is not named here is browsing: a new route is the first to be refused, until somebody thinks about it. */
export function classOf({ method, url }: Pick<RouteOptions, 'method' | 'url'>): RouteClass {
  if (url.startsWith('/api/admin/')) return 'free';
  const [verb = ''] = [method].flat();
  return classes[`${verb === 'HEAD' ? 'GET' : verb} ${url}`] ?? 'browsing';
}

/** Whether an answer of this route stays open for as long as somebody reads it. */
export function isStream(route: Pick<RouteOptions, 'method' | 'url'>): boolean {
  return classOf(route) === 'stream' || route.url === '/api/admin/live';
}
