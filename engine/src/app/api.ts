import { createDigests } from '../admission/digests.js';
import { observeGate } from '../admission/gate/observe-gate.js';
import { createProofs } from '../admission/proofs/proofs.js';
import type { Shedding } from '../admission/shedding.js';
import { createReadPictureOrigins } from '../catalog/picture-origins.js';
import { createListProductIds } from '../catalog/products.js';
import { createDraining } from '../http/draining.js';
import { createEventStreams, type EventStreamOptions } from '../http/event-stream.js';
import { createForwardedPages } from '../http/forwarded-pages.js';
import { createIdentity, type Identity } from '../http/identity/identity.js';
import { listen } from '../http/listeners.js';
import { createLiveBroadcast } from '../http/live-broadcast.js';
import { keepOperatorTrail } from '../http/operator-trail.js';
import { registerAdmin } from '../http/routes/admin.js';
import { registerAttempts } from '../http/routes/attempts.js';
import { registerCatalog } from '../http/routes/catalog.js';
import { registerCheckout } from '../http/routes/checkout.js';
import { registerDeadLetters } from '../http/routes/dead-letters.js';
import { registerFaults } from '../http/routes/faults.js';
import { registerLive } from '../http/routes/live.js';
import { registerOperations } from '../http/routes/operations.js';
import { registerOperators } from '../http/routes/operators.js';
import { registerOrderEvents } from '../http/routes/order-events.js';
import { registerOrders } from '../http/routes/orders.js';
import { registerPrecheck } from '../http/routes/precheck.js';
import { registerProofs } from '../http/routes/proofs.js';
import { registerProtection } from '../http/routes/protection.js';
import { registerPurchase } from '../http/routes/purchase.js';
import { createRedeem } from '../http/routes/redeem.js';
import { registerRehearsals } from '../http/routes/rehearsals.js';
import { registerSecurityTxt } from '../http/routes/security-txt.js';
import { registerSession } from '../http/routes/session.js';
import { registerStockEvents } from '../http/routes/stock-events.js';
import { registerUsers } from '../http/routes/users.js';
import { registerWebhookDeliveries } from '../http/routes/webhook-deliveries.js';
import { registerWebhookEndpoints } from '../http/routes/webhook-endpoints.js';
import { registerWebhooks } from '../http/routes/webhooks.js';
import { type App, createServer } from '../http/server.js';
import { createLookAtStock, createStockBroadcast } from '../http/stock-broadcast.js';
import { createAllocateIds } from '../ids/allocate.js';
import { createCheckIds } from '../ids/check.js';
import { observeIds } from '../ids/observe-ids.js';
import { createCheckoutCodes } from '../orders/checkout-code.js';
import { createReadLife } from '../orders/read-life.js';
import { createFindReplay, createReadOrder } from '../orders/replay.js';
import { messageOf } from '../platform/errors.js';
import { createProbe } from '../platform/postgres.js';
import { createSeal } from '../webhooks/seal.js';
import type { ApiFigures } from './instruments.js';
import { createLive } from './live.js';
import { createMemory, type Memory } from './memory.js';
import type { Parts } from './parts.js';
import { createLayers } from './protection.js';
import { createGate } from './redis.js';
import { createRehearsals } from './rehearsals.js';
import { destinationsOf } from './webhooks.js';

export type Api = {
  /** Where it listens, such as http://127.0.0.1:3000 */
  url: string;
  figures: ApiFigures;
  /** Stops taking requests, answers those in work, writes out what is buffered. */
  close(): Promise<void>;
};

export type ApiOptions = {
  /** New connections that are taken in one turn of the event loop. */
  listeners?: number;
  /** Other bounds for streams of events, for tests. */
  eventStreams?: Partial<EventStreamOptions>;
  /** Another way to judge how far behind the process is, for tests. */
  shedding?: Shedding | undefined;
};

/** The role that answers shoppers and operators. */
export async function startApi(
  parts: Parts,
  { listeners = 1, eventStreams = {}, shedding }: ApiOptions = {},
): Promise<Api> {
  const { config, warn } = parts;
  const memory = createMemory(parts);
  try {
    const { server, draining, figures, rehearse } = await createApiServer(
      parts,
      memory,
      eventStreams,
      shedding,
    );
    const url = await listen(
      server,
      { host: config.HOST, port: config.PORT, backlog: acceptBacklog, listeners },
      warn('new connections are taken one in a turn: under load they wait'),
    );
    return {
      url,
      figures,
      async close() {
        if (typeof rehearse !== 'string') await rehearse.close();
        await draining.drain(config.DRAIN_TIMEOUT_MS);
        await memory.close();
      },
    };
  } catch (error) {
    await memory.close();
    throw error;
  }
}

async function createApiServer(
  parts: Parts,
  memory: Memory,
  limits: Partial<EventStreamOptions>,
  shedding: Shedding | undefined,
) {
  const { config, secrets, logger, pool, warn, queue, faults, faultBroadcast, clock } = parts;
  const { calendar, views } = memory;
  const { instruments, decisionConnections, commits } = parts;
  const lookAtStock = createLookAtStock({ ...memory, clock });
  const identity = createIdentity({
    ...{ config, secrets, db: pool, nowMs: clock.nowMs },
    onError: warn('the keys for tokens could not be read'),
  });
  const forwardedPages = config.WEB_URL
    ? createForwardedPages(config.WEB_URL, createReadPictureOrigins(pool))
    : undefined;
  const { serverOptions, ...layers } = createLayers(parts, identity, forwardedPages, shedding);
  const server = await createServer(logger, {
    ...serverOptions,
    forwardedPages,
    requests: instruments.requests,
    tracing: parts.tracing,
    slowRequestMs: config.SLOW_REQUEST_MS,
  });
  const draining = createDraining(server, config.DRAIN_DELAY_MS);
  identifyCallers(server, parts, identity);
  const eventStreams = createEventStreams(server, limits);
  const readOrder = createReadOrder(pool);
  const codes = createCheckoutCodes(secrets.secretKey);
  const gate = observeGate(createGate(parts.shared, views, clock), instruments.gate);
  const shop = {
    ...parts,
    ...memory,
    ...layers,
    ...{ identity, gate, readOrder, codes, eventStreams },
    proofs: createProofs(pool, clock, secrets.secretKey),
    digestsOf: createDigests(secrets.secretKey),
    findReplay: createFindReplay(readOrder),
    readLife: createReadLife(pool),
  };

  const ids = {
    identity,
    kinds: config.ID_KINDS,
    allocateIds: observeIds(createAllocateIds(pool), instruments.ids),
    whyNoIds: createProbe(createCheckIds(pool)),
  };

  async function unreadyReasons(): Promise<string[]> {
    if (draining.isOn()) return ['this process is shutting down'];
    if (decisionConnections.openCount() === 0) {
      return [`decisions have no connection to PostgreSQL: ${decisionConnections.whyMissing()}`];
    }
    const error = await commits.whyNot();
    return error === undefined ? [] : [`PostgreSQL takes no commits: ${messageOf(error)}`];
  }

  registerPurchase(server, { ...shop, redeem: createRedeem(shop) });
  registerCheckout(server, shop);
  registerOrders(server, { ...shop, mayForceFail: faults.isEnabled });
  registerOrderEvents(server, shop);
  registerPrecheck(server, shop);
  registerProofs(server, shop);
  registerCatalog(server, { calendar, clock, lookAtStock, listProductIds: createListProductIds(pool) });
  registerStockEvents(server, {
    lookAtStock,
    stockBroadcast: createStockBroadcast(lookAtStock),
    stockStreams: createEventStreams(server, { streamsPerShopperMax: stockStreamsPerAddressMax, ...limits }),
  });
  registerAttempts(server, shop);
  registerSession(server, ids);
  registerUsers(server, ids);
  registerWebhooks(server, shop);
  registerAdmin(server, {
    ...shop,
    canBePaid: config.PAYMENT_PROVIDER !== 'none',
    stepMinor: shop.payments.stepMinor,
    onAudit: instruments.audit.note,
  });
  registerFaults(server, { identity, faults, faultBroadcast });
  registerDeadLetters(server, { identity, pool, queue });
  registerWebhookEndpoints(server, {
    ...{ identity, pool, seal: createSeal(secrets.secretKey) },
    destinations: destinationsOf(config),
  });
  registerWebhookDeliveries(server, { identity, pool });
  const figures: ApiFigures = { ...layers, droppedAttempts: memory.attempts.dropped };
  registerProtection(server, shop);
  registerLive(server, {
    identity,
    live: createLiveBroadcast(createLive(parts, figures)),
    liveStreams: createEventStreams(server, { streamsMax: liveStreamsMax }),
  });
  registerOperators(server, { identity, pool });
  const rehearse = createRehearsals(parts, server, calendar);
  registerRehearsals(server, { identity, pool, rehearse });
  registerOperations(server, {
    isDatabaseUp: async () => (await commits.whyNot()) === undefined,
    isRedisUp: parts.shared?.link.isUp,
    unreadyReasons,
  });
  registerSecurityTxt(server, config.SECURITY_CONTACT);
  return { server, draining, figures, rehearse };
}

/**
 * Who calls is found out before a route is entered, and after the limits per address: a signature costs more to check than
 * a refusal. What operators do is written down. Both on every route that comes after.
 */
function identifyCallers(server: App, { pool, warn }: Parts, identity: Identity): void {
  server.decorateRequest('isOfShop', undefined);
  const { onRequest } = identity;
  if (onRequest) {
    server.addHook('onRoute', route => {
      route.onRequest = [route.onRequest ?? [], onRequest].flat();
    });
  }
  const onLost = warn("how an operator's action ended was not kept");
  keepOperatorTrail(server, { db: pool, identity, onError: onLost });
}

// An office or a mobile network behind one address; whoever comes on top polls.
const stockStreamsPerAddressMax = 1000;

// Each operator has a page or two open; a frame is a few kilobytes, written anew for each.
const liveStreamsMax = 50;

// Connections that the kernel holds for us while we are busy. With Node's 511 a rush of 2,000 overflows it, and a client
// whose handshake was dropped waits for its own retransmissions, seconds long. The kernel caps it at net.core.somaxconn.
const acceptBacklog = 8192;
