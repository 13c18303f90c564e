import type { FastifyInstance } from 'fastify';
import type { RateLimit } from '../../admission/rate-limits/rate-limits.js';
import { createSaleRoom, type SaleRoom } from '../../admission/sale-room.js';
import { createShedding, type Shedding } from '../../admission/shedding.js';
import { type Admission, createAdmission } from '../../http/buying/admit.js';
import type { Identity } from '../../http/identity/identity.js';
import { limitConnections } from '../../http/limits/connection-limits.js';
import { type Protection, protect } from '../../http/limits/guard-requests.js';
import { createIsOfWeb } from '../../http/limits/web-key.js';
import type { ForwardedPages } from '../../http/pages/forwarded-pages.js';
import { registerCors } from '../../http/server/cors.js';
import type { ServerOptions } from '../../http/server/http-server.js';
import { hasItsShare } from '../../platform/batching/fair-share.js';
import type { Config } from '../../platform/config/config.js';
import type { Parts } from '../parts.js';
import { createRateLimits } from '../shared-redis.js';

/** The layers of protection of an API, as the settings configure them. */
export type Layers = Admission & {
  /** For the server behind the layers. */
  serverOptions: ServerOptions;
  /** Requests in progress. */
  inFlight: () => number;
  shedding: Shedding;
  saleRoom: SaleRoom;
};

export function createLayers(
  parts: Parts,
  identity: Identity,
  pages: Pick<ForwardedPages, 'isKeptPart'> | undefined,
  given?: Shedding,
): Layers {
  const { config, refusals } = parts;
  const shedding = given ?? createShedding({ lagMaxMs: config.SHED_LAG_MS });
  const inFlight = () => protection?.inFlight() ?? 0;
  const inFlightMax = config.MAX_IN_FLIGHT;
  const saleRoom = createSaleRoom({
    queues: [parts.decisions, parts.settlements, parts.acceptances],
    decisions: parts.decisions,
    waitMaxMs: config.SHED_WAIT_MS,
    refusals,
    // The request that asks is itself in progress.
    hasItsShare: own => inFlightMax > 0 && hasItsShare(own, inFlightMax - inFlight() + 1),
  });
  const isOfWeb = createIsOfWeb(config.WEB_KEY);
  let protection: Protection | undefined;

  function onCreated(app: FastifyInstance): void {
    registerCors(app, config.CORS_ORIGIN);
    app.addHook('onClose', (_app, done) => {
      shedding.close();
      done();
    });
    const { isReserved } = limitConnections(app.server, {
      max: config.CONNECTIONS_MAX,
      perAddressMax: config.CONNECTIONS_PER_IP_MAX,
      proxies: config.TRUST_PROXY,
      refusals,
    });
    protection = protect(app, {
      inFlightMax,
      isReserved,
      rate: rateOf(config.RATE_LIMIT_IP_MAX, 1000, config.RATE_LIMIT_IP_BURST),
      // A page has a dozen parts, and a crowd behind one address that opens it in the same second needs all of them.
      isExempt: request => pages?.isKeptPart(request) || identity.isOfShop(request) || isOfWeb(request),
      isOfWeb,
      shedding,
      refusals,
    });
  }

  return {
    serverOptions: {
      ...timeoutsOf(config),
      proxies: config.TRUST_PROXY,
      onCreated,
      refuse: (request, response) => protection?.refuseIfFull(request, response) ?? false,
    },
    inFlight,
    shedding,
    saleRoom,
    ...createAdmission({
      perShopper: rateOf(config.RATE_LIMIT_USER_MAX, config.RATE_LIMIT_WINDOW_MS),
      perAddress: rateOf(config.RATE_LIMIT_IP_PURCHASES_MAX, config.RATE_LIMIT_WINDOW_MS),
      limitsService: config.RATE_LIMIT_SERVICE,
      rateLimits: createRateLimits(parts.shared),
      shedding,
      refusals,
    }),
  };
}

function timeoutsOf({ REQUEST_TIMEOUT_MS, HEADERS_TIMEOUT_MS, IDLE_TIMEOUT_MS }: Config) {
  return {
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    headersTimeoutMs: HEADERS_TIMEOUT_MS,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
  };
}

function rateOf(limit: number, windowMs: number, burst = limit): RateLimit | undefined {
  return limit === 0 ? undefined : { limit, windowMs, burst };
}
