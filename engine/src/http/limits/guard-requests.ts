import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createMemoryRateLimits } from '../../admission/rate-limits/memory-rate-limits.js';
import type { RateLimit } from '../../admission/rate-limits/rate-limits.js';
import type { Refusals } from '../../admission/refusals.js';
import type { Shedding, Urgency } from '../../admission/shedding.js';
import { refuseOverloaded, sendProblem } from '../answers/send-problem.js';
import { sendBusy } from '../pages/busy-page.js';
import { createHold } from '../server/answer-together.js';
import { addressKeyOf } from './client-address.js';
import { tellRate, tellRetryAfter } from './rate-limit-answer.js';
import { createRequestsInWork } from './requests-in-work.js';
import { classOf, countsAsWork, isForOperations, type RouteClass } from './route-class.js';

export type Protection = {
  /** Answers a request that there is no room for. @returns whether it did. */
  refuseIfFull(request: IncomingMessage, response: ServerResponse): boolean;
  /** Requests in work: read, and not answered yet. */
  inFlight(): number;
};

export type ProtectionOptions = {
  /** 0 is no limit. */
  inFlightMax: number;
  /** Whether a connection is one of the last, which are kept for operators and probes. */
  isReserved: (socket: Socket) => boolean;
  /** Per address; undefined is no limit. Counted by each process for itself: it is this process that it protects. */
  rate: RateLimit | undefined;
  shedding: Shedding;
  refusals: Refusals;
  /** Whether a call does not count: it comes from the shop itself, whose address stands for all of its shoppers, or costs nothing. */
  isExempt: (request: FastifyRequest) => boolean;
  /** Whether it is the web process that asks: seldom, and for everybody who looks at a page. */
  isOfWeb: (request: FastifyRequest) => boolean;
};

type Hook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/**
 * The layers that a request meets before its body is read, outermost first: requests in work, calls per address, shedding.
 * The first is asked
 * before the router, the others hang on the routes that are registered after this, by the class of each. A body that comes slowly is not in work yet:
 * else a few hundred senders who dawdle would keep everybody out.
 */
export function protect(app: FastifyInstance, options: ProtectionOptions): Protection {
  const { inFlightMax, isReserved, rate, shedding, refusals, isExempt, isOfWeb } = options;
  const calls = createMemoryRateLimits();
  const policy = rate && { name: 'ip', rate };
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
    // Its body came when others had taken the last place.
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
  // What no route knows is a page. It is kept for everybody for a second, so that it costs what a refusal does; and who has
  // none can neither buy nor finish.
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
      // The next one who needs it has waited meanwhile.
      if (isLate) response.shouldKeepAlive = false;
      if (isLate && !isOfConsole(url)) refusals.connections += 1;
      else if (inWork.isFull() && countsAsWork(url)) refusals.inFlight += 1;
      else return false;
      hold(() => refuseOverloaded(response));
      return true;
    },
  };
}

/** What an operator or a probe asks for, with the pages of the console. */
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
