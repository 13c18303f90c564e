import { createDigests } from '../../admission/digests.js';
import { type AskGate, createAskGate } from '../../admission/gate/ask-gate.js';
import type { Gate } from '../../admission/gate/gate.js';
import { createProofs, type Proofs } from '../../admission/proofs/proofs.js';
import { createListProductIds } from '../../catalog/products.js';
import { createEntrance, type EntranceParts } from '../../http/buying/entrance.js';
import { createRedeem } from '../../http/buying/redeem.js';
import type { Identity } from '../../http/identity/identity.js';
import { registerAcceptOrder } from '../../http/routes/shop/accept-order.js';
import { registerCatalog } from '../../http/routes/shop/catalog.js';
import { registerCheckout } from '../../http/routes/shop/checkout.js';
import { registerProofs } from '../../http/routes/shop/issue-proofs.js';
import { registerOrderEvents } from '../../http/routes/shop/order-events.js';
import { registerOwnAttempts } from '../../http/routes/shop/own-attempts.js';
import { registerOrders } from '../../http/routes/shop/own-orders.js';
import { registerPrecheck } from '../../http/routes/shop/precheck.js';
import { registerPurchase } from '../../http/routes/shop/purchase.js';
import { registerSession } from '../../http/routes/shop/session.js';
import { registerStockEvents } from '../../http/routes/shop/stock-events.js';
import type { App } from '../../http/server/http-server.js';
import { createEventStreams, type EventStreamOptions } from '../../http/streams/event-stream.js';
import { createLookAtStock, createStockBroadcast } from '../../http/streams/stock-broadcast.js';
import type { AllocateIds } from '../../ids/allocate.js';
import { createCheckoutCodes } from '../../orders/checkout-code.js';
import { createReadLife } from '../../orders/read-life.js';
import { createFindOrders, type FindOrders } from '../../orders/replay.js';
import { createGateHook } from '../hooks/gate-hook.js';
import type { Parts } from '../parts.js';
import type { Layers } from './layers.js';
import type { Memory } from './memory.js';

export type ShopOptions = {
  parts: Parts;
  memory: Memory;
  layers: Layers;
  identity: Identity;
  gate: Gate;
  allocateIds: AllocateIds;
  /** Different bounds for streams of events, for tests. */
  streamLimits: Partial<EventStreamOptions>;
};

// Enough for an office or a mobile network behind one address; further clients poll.
const stockStreamsPerAddressMax = 1000;

/** The calls of shoppers, and of the shop's own server on their behalf. */
export function registerShop(app: App, options: ShopOptions): void {
  const { parts, memory, layers, identity, streamLimits } = options;
  const { pool, clock, settlements, secrets } = parts;
  const { calendar, views, orderFollower } = memory;
  const { saleRoom } = layers;
  const findOrders = createFindOrders(pool);
  const { readOrder } = findOrders;
  const proofs = createProofs(pool, clock, secrets.secretKey);
  const askGate = createAskGate(options.gate, createGateHook(parts.instruments, parts.faults));

  registerBuying(app, options, { ...findOrders, proofs, askGate });
  registerOrders(app, { identity, calendar, clock, pool, readOrder, settlements, saleRoom });
  registerOrderEvents(app, {
    identity,
    readOrder,
    readLife: createReadLife(pool),
    orderFollower,
    eventStreams: createEventStreams(app, streamLimits),
  });
  registerPrecheck(app, { identity, calendar, askGate });
  registerProofs(app, { identity, calendar, clock, proofs });
  const lookAtStock = createLookAtStock({ calendar, clock, views });
  registerCatalog(app, { calendar, clock, lookAtStock, listProductIds: createListProductIds(pool) });
  registerStockEvents(app, {
    lookAtStock,
    stockBroadcast: createStockBroadcast(lookAtStock),
    stockStreams: createEventStreams(app, {
      streamsPerShopperMax: stockStreamsPerAddressMax,
      ...streamLimits,
    }),
  });
  registerOwnAttempts(app, { identity, pool, clock });
  registerSession(app, { identity, allocateIds: options.allocateIds });
}

type BuyingParts = FindOrders & { proofs: Proofs; askGate: AskGate };

/** The three ways to buy: directly, through a checkout, and through the queue. */
function registerBuying(
  app: App,
  options: ShopOptions,
  { readOrder, findReplay, proofs, askGate }: BuyingParts,
): void {
  const { parts, memory, layers, identity, gate } = options;
  const { decisions, acceptances, settlements, payments, pay, secrets } = parts;
  const { calendar, attempts } = memory;
  const { admitPurchase, admitRedemption, saleRoom } = layers;
  const codes = createCheckoutCodes(secrets.secretKey);
  const entranceParts: EntranceParts = {
    identity,
    admitPurchase,
    calendar,
    askGate,
    gate,
    saleRoom,
    proofs,
    digestsOf: createDigests(secrets.secretKey),
    findReplay,
    attempts,
    payments,
  };
  const { add: join } = decisions;
  const redeem = createRedeem({
    identity,
    calendar,
    readOrder,
    codes,
    settlements,
    saleRoom,
    pay,
    payments,
    admitRedemption,
    attempts,
  });
  registerPurchase(app, {
    enter: createEntrance(entranceParts, { entrance: 'direct', join }),
    pay,
    redeem,
    attempts,
  });
  registerCheckout(app, { enter: createEntrance(entranceParts, { entrance: 'checkout', join }), codes });
  registerAcceptOrder(app, {
    enter: createEntrance(entranceParts, { entrance: 'queued', join: acceptances.add }),
    enterToFail: parts.faults.isEnabled
      ? createEntrance(entranceParts, {
          entrance: 'queued',
          join: (saleId, purchase, answer, patience) =>
            acceptances.add(saleId, { ...purchase, forceFail: true }, answer, patience),
        })
      : undefined,
  });
}
