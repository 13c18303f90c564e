import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createMemoryRateLimits } from '../../admission/rate-limits/memory-rate-limits.js';
import type { RateLimit } from '../../admission/rate-limits/rate-limits.js';
import type { Refusals } from '../../admission/refusals.js';
import type { Shedding, Urgency } from '../../admission/shedding.js';
import { createHold } from '../answers/answer-together.js';
import { refuseOverloaded, sendProblem } from '../answers/send-problem.js';
import { sendBusy } from '../pages/busy-page.js';
import { addressKeyOf } from './client-address.js';
import { createRatePolicy, tellRate, tellRetryAfter } from './rate-limit-answer.js';
import { createRequestsInWork } from './requests-in-work.js';
import { classOf, countsAsWork, isForOperations, type RouteClass } from './route-class.js';

export type Protection = {
  /** Answers a request for which there is no room. @returns whether it did. */
  refuseIfFull(request: IncomingMessage, response: ServerResponse): boolean;
  /** Requests in progress: read, but not answered yet. */
  inFlight(): number;
};

export type ProtectionOptions = {
  /** 0 means no limit. */
  inFlightMax: number;
  /** Whether a connection belongs to the reserve for operators and probes. */
  isReserved: (socket: Socket) => boolean;
  /** Per address; undefined means no limit. Each process counts for itself, because the limit protects the process. */
  rate: RateLimit | undefined;
  shedding: Shedding;
  refusals: Refusals;
  /**
   * Whether a call does not count: it comes from the shop's own server, whose address stands for all of its shoppers,
   * or it costs nothing.
   */
  isExempt: (request: FastifyRequest) => boolean;
  /** Whether the request comes from the web process, which asks rarely, and for everyone who looks at a page. */
  isOfWeb: (request: FastifyRequest) => boolean;
};

type Hook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/**
 * The layers that a request meets before its body is read, outermost first: requests in progress, calls per address,
 * shedding. The first is checked before the router. The others apply to the routes that are registered after this, by
 * the class of each. A request whose body is still arriving does not count as in progress yet: otherwise a few hundred
 * slow senders would keep every other caller out.
 */
export function protect(app: FastifyInstance, options: ProtectionOptions): Protection {
  const { inFlightMax, isReserved, rate, shedding, refusals, isExempt, isOfWeb } = options;
  const calls = createMemoryRateLimits();
  const policy = rate && createRatePolicy('ip', rate);
  const hold = createHold();
  const inWork = createRequestsInWork(app, inFlightMax);

  function isTooOften(request: FastifyRequest, reply: FastifyReply): boolean {
    if (!policy || isExempt(request)) return false;
    const taken = calls.take(addressKeyOf(request), policy.rate);
    tellRate(reply, policy, taken);
    if (taken.allowed) return false;
    refusals.ip += 1;
    tellRetryAfter(reply, taken);
    return true;
  }

  function createGuard(routeClass: Exclude<RouteClass, 'free'>): Hook {
    const urgency = routeClass === 'stream' ? 'finishing' : routeClass;
    return (request, reply, done) => {
      if (isTooOften(request, reply)) return void sendProblem(reply, 'rate-limited');
      if (!shedding.refuses(urgency) || isOfWeb(request)) return done();
      refusals[shedLayer[urgency]] += 1;
      if (request.is404) sendBusy(request, reply, 'overloaded');
      else sendProblem(reply, 'overloaded');
    };
  }

  const begin: Hook = (request, reply, done) => {
    // Others took the last place while its body arrived.
    if (inWork.isFull()) {
      refusals.inFlight += 1;
      return void sendProblem(reply, 'overloaded');
    }
    inWork.add(request);
    done();
  };

  app.addHook('onRoute', route => {
    const routeClass = classOf(route);
    if (routeClass === 'free') return;
    route.onRequest = [createGuard(routeClass), ...hooksOf(route.onRequest)];
    if (routeClass !== 'stream') route.preValidation = [begin, ...hooksOf(route.preValidation)];
  });
  // A request without a route is for a page. Pages are shared for a second, so one costs as little as a refusal, and a
  // shopper without a page can neither buy nor finish.
  const guardUnknown = createGuard('finishing');
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) guardUnknown(request, reply, done);
    else done();
  });
  return {
    inFlight: inWork.count,
    refuseIfFull(request, response) {
      const { url = '', socket } = request;
      const isLate = isReserved(socket);
      // Frees the connection for the next operator or probe.
      if (isLate) response.shouldKeepAlive = false;
      if (isLate && !isOfConsole(url)) refusals.connections += 1;
      else if (inWork.isFull() && countsAsWork(url)) refusals.inFlight += 1;
      else return false;
      hold(() => refuseOverloaded(response));
      return true;
    },
  };
}

/** Whether this request is an operator's or a probe's, including those for pages of the console. */
function isOfConsole(url: string): boolean {
  return isForOperations(url) || url.startsWith('/admin') || url.startsWith('/_next/static/');
}

const shedLayer = {
  browsing: 'shedBrowsing',
  buying: 'shedBuying',
  finishing: 'shedFinishing',
} as const satisfies Record<Urgency, keyof Refusals>;

function hooksOf<T>(hooks: T | T[] | undefined): T[] {
  if (hooks === undefined) return [];
  return Array.isArray(hooks) ? hooks : [hooks];
}
