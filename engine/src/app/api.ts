import { createDigests } from '../admission/digests.js';
import { followLedger } from '../admission/follow-ledger.js';
import { createProofs } from '../admission/proofs/proofs.js';
import { createStockViews, type StockViews } from '../admission/stock-views.js';
import { createCalendar } from '../catalog/calendar.js';
import { createReadPictureOrigins } from '../catalog/picture-origins.js';
import { createListProductIds } from '../catalog/products.js';
import { createDraining } from '../http/draining.js';
import { createEventStreams, type EventStreamOptions } from '../http/event-stream.js';
import { createForwardedPages } from '../http/forwarded-pages.js';
import { createIdentity, type Identity } from '../http/identity/identity.js';
import { keepOperatorTrail } from '../http/operator-trail.js';
import { registerAdmin } from '../http/routes/admin.js';
import { registerAttempts } from '../http/routes/attempts.js';
import { registerCatalog } from '../http/routes/catalog.js';
import { registerCheckout } from '../http/routes/checkout.js';
import { registerDeadLetters } from '../http/routes/dead-letters.js';
import { registerFaults } from '../http/routes/faults.js';
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
import { createAttempts } from '../ledger/attempts.js';
import { createCheckoutCodes } from '../orders/checkout-code.js';
import { createOrderFollower } from '../orders/follow-orders.js';
import { createReadLife } from '../orders/read-life.js';
import { createFindReplay, createReadOrder, expectLateOrders } from '../orders/replay.js';
import { messageOf } from '../platform/errors.js';
import { createProbe } from '../platform/postgres.js';
import { createSeal } from '../webhooks/seal.js';
import type { Parts } from './parts.js';
import { createLayers } from './protection.js';
import { createGate } from './redis.js';
import { createRehearsals } from './rehearsals.js';
import { destinationsOf } from './webhooks.js';

export type Api = {
  /** Where it listens, such as http://127.0.0.1:3000 */
  url: string;
  /** Stops taking requests, answers those in work, writes out what is buffered. */
  close(): Promise<void>;
};

/** The role that answers shoppers and operators. */
export async function startApi(parts: Parts, limits: Partial<EventStreamOptions> = {}): Promise<Api> {
  const { config } = parts;
  const memory = createMemory(parts);
  try {
    const { server, draining, rehearse } = await createApiServer(parts, memory, limits);
    const url = await server.listen({ host: config.HOST, port: config.PORT, backlog: acceptBacklog });
    return {
      url,
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

/** What this process remembers of the ledger, and what it has yet to tell it. */
function createMemory(parts: Parts) {
  const { config, logger, pool, connection, decisions, warn, followStock, faultBroadcast, clock, outage } =
    parts;
  const calendar = createCalendar(pool, clock);
  const orderFollower = createOrderFollower({ db: pool, onError: warn('followed orders could not be read') });
  const warnOfFollower = warn('trouble on the connection that follows the ledger');
  const follower = followLedger({
    connection,
    clock,
    calendar,
    views: () => views,
    onOrders: orderFollower.changed,
    onFaults: faultBroadcast.hear,
    // Mostly the first to notice: an order that comes then need not try in vain.
    onError(error) {
      warnOfFollower(error);
      void outage.suspect();
    },
  });
  const views: StockViews = createStockViews(pool, follower.isLive);
  followStock(views.apply);
  const onError = warn('attempts could not be written');
  const attempts = createAttempts({ pool, clock, bufferMax: config.ATTEMPTS_BUFFER_MAX, onError });

  async function close(): Promise<void> {
    await decisions.drained();
    await attempts.close(config.DRAIN_TIMEOUT_MS);
    const dropped = attempts.dropped();
    if (dropped > 0) logger.warn({ dropped }, 'attempts were dropped, not written');
    await follower.close();
  }

  return { calendar, views, attempts, orderFollower, close };
}

async function createApiServer(
  parts: Parts,
  memory: ReturnType<typeof createMemory>,
  limits: Partial<EventStreamOptions>,
) {
  const { config, secrets, logger, pool, warn, queue, faults, faultBroadcast, clock, outage, whileDown } =
    parts;
  const { calendar, views } = memory;
  const lookAtStock = createLookAtStock({ ...memory, clock });
  const identity = createIdentity({
    ...{ config, secrets, db: pool, nowMs: clock.nowMs },
    onError: warn('the keys for tokens could not be read'),
  });
  const { serverOptions, ...layers } = createLayers(parts, identity);
  const forwardedPages = config.WEB_URL
    ? createForwardedPages(config.WEB_URL, createReadPictureOrigins(pool))
    : undefined;
  const server = await createServer(logger, { ...serverOptions, forwardedPages });
  const draining = createDraining(server, config.DRAIN_DELAY_MS);
  identifyCallers(server, parts, identity);
  const eventStreams = createEventStreams(server, limits);
  const readWritten = createReadOrder(pool);
  const readOrder = whileDown
    ? expectLateOrders(readWritten, () => outage.wasLately(lateOrdersWithinMs))
    : readWritten;
  const codes = createCheckoutCodes(secrets.secretKey);
  const gate = createGate(parts.shared, views, clock);
  const probe = createProbe(() => pool.query('select 1'));
  const shop = {
    ...parts,
    ...memory,
    ...layers,
    ...{ identity, gate, readOrder, codes, eventStreams },
    proofs: createProofs(pool, clock, secrets.secretKey),
    digestsOf: createDigests(secrets.secretKey),
    findReplay: createFindReplay(readWritten, readOrder),
    readLife: createReadLife(pool),
  };

  const ids = {
    identity,
    kinds: config.ID_KINDS,
    allocateIds: createAllocateIds(pool),
    whyNoIds: createProbe(createCheckIds(pool)),
  };

  async function unreadyReasons(): Promise<string[]> {
    if (draining.isOn()) return ['this process is shutting down'];
    // Without the database too: no other process is better off, and a balancer that had none left would refuse what can be
    // taken.
    if (whileDown?.hasRoom()) return [];
    const error = await probe();
    return error === undefined ? [] : [`PostgreSQL does not answer: ${messageOf(error)}`];
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
    stockStreams: createEventStreams(server, { streamsPerShopperMax: stockStreamsPerAddressMax }),
  });
  registerAttempts(server, shop);
  registerSession(server, ids);
  registerUsers(server, ids);
  registerWebhooks(server, shop);
  registerAdmin(server, { ...shop, canBePaid: config.PAYMENT_PROVIDER !== 'none' });
  registerFaults(server, { identity, faults, faultBroadcast });
  registerDeadLetters(server, { identity, pool, queue });
  registerWebhookEndpoints(server, {
    ...{ identity, pool, seal: createSeal(secrets.secretKey) },
    destinations: destinationsOf(config),
  });
  registerWebhookDeliveries(server, { identity, pool });
  registerProtection(server, shop);
  registerOperators(server, { identity, pool });
  const rehearse = createRehearsals(parts, server, calendar);
  registerRehearsals(server, { identity, pool, rehearse });
  registerOperations(server, { unreadyReasons });
  registerSecurityTxt(server, config.SECURITY_CONTACT);
  return { server, draining, rehearse };
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

// Orders that were taken while the database was down are written down within a second or two, wherever they were taken.
const lateOrdersWithinMs = 10_000;

// An office or a mobile network behind one address; whoever comes on top polls.
const stockStreamsPerAddressMax = 1000;

// Connections that the kernel holds for us while we are busy. With Node's 511 a rush of 2,000 overflows it, and a client
// whose handshake was dropped waits for its own retransmissions, seconds long. The kernel caps it at net.core.somaxconn.
const acceptBacklog = 8192;
