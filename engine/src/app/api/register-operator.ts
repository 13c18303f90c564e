import type { Gate } from '../../admission/gate/gate.js';
import type { Identity } from '../../http/identity/identity.js';
import { registerAdminAttempts } from '../../http/routes/operator/admin-attempts.js';
import { registerAudit } from '../../http/routes/operator/admin-audit.js';
import { registerDeadLetters } from '../../http/routes/operator/admin-dead-letters.js';
import { registerFaults } from '../../http/routes/operator/admin-faults.js';
import { registerLive } from '../../http/routes/operator/admin-live.js';
import { registerOperators } from '../../http/routes/operator/admin-operators.js';
import { registerAdminOrders } from '../../http/routes/operator/admin-orders.js';
import { registerAdminProducts } from '../../http/routes/operator/admin-products.js';
import { registerProtection } from '../../http/routes/operator/admin-protection.js';
import { registerRehearsals } from '../../http/routes/operator/admin-rehearsals.js';
import { registerSaleChanges } from '../../http/routes/operator/admin-sale-changes.js';
import { registerAdminSales } from '../../http/routes/operator/admin-sales.js';
import { registerSeries } from '../../http/routes/operator/admin-series.js';
import { registerStats } from '../../http/routes/operator/admin-stats.js';
import { registerWebhookDeliveries } from '../../http/routes/operator/admin-webhook-deliveries.js';
import { registerWebhookEndpoints } from '../../http/routes/operator/admin-webhook-endpoints.js';
import type { App } from '../../http/server/http-server.js';
import { createEventStreams } from '../../http/streams/event-stream.js';
import { createLiveBroadcast } from '../../http/streams/live-broadcast.js';
import type { Rehearse } from '../../rehearsals/rehearse.js';
import { createSeal } from '../../webhooks/seal.js';
import type { ApiFigures } from '../instruments.js';
import type { Parts } from '../parts.js';
import { destinationsOf } from '../webhook-jobs.js';
import type { Layers } from './layers.js';
import { createLiveFigures } from './live-figures.js';
import type { Memory } from './memory.js';

export type OperatorOptions = {
  parts: Parts;
  memory: Memory;
  layers: Layers;
  identity: Identity;
  gate: Gate;
  figures: ApiFigures;
  rehearse: Rehearse | string;
};

// Each operator has a page or two open. A frame is a few kilobytes, and is written separately for each.
const liveStreamsMax = 50;

/** The calls of operators and their console. */
export function registerOperator(app: App, options: OperatorOptions): void {
  const { parts, layers, identity, gate, figures, rehearse } = options;
  const { calendar } = options.memory;
  const { config, pool, clock, secrets, queue, faults, faultBroadcast, refusals } = parts;
  const { decisions, settlements, payments, instruments } = parts;

  registerSaleChanges(app, {
    identity,
    pool,
    clock,
    calendar,
    canBePaid: config.PAYMENT_PROVIDER !== 'none',
    stepMinor: payments.stepMinor,
  });
  registerSeries(app, { identity, pool, calendar });
  registerAdminProducts(app, { identity, pool, calendar, stepMinor: payments.stepMinor });
  registerAdminSales(app, { identity, pool, clock });
  registerAdminOrders(app, { identity, pool });
  registerStats(app, { identity, pool, clock });
  registerAudit(app, { identity, pool, gate, onAudit: instruments.audit.note });
  registerAdminAttempts(app, { identity, pool, clock });
  registerFaults(app, { identity, faults, faultBroadcast });
  registerDeadLetters(app, { identity, pool, queue });
  registerWebhookEndpoints(app, {
    identity,
    pool,
    seal: createSeal(secrets.secretKey),
    destinations: destinationsOf(config),
  });
  registerWebhookDeliveries(app, { identity, pool });
  registerProtection(app, {
    identity,
    inFlight: layers.inFlight,
    shedding: layers.shedding,
    refusals,
    decisions,
    settlements,
  });
  registerLive(app, {
    identity,
    live: createLiveBroadcast(createLiveFigures(parts, figures)),
    liveStreams: createEventStreams(app, { streamsMax: liveStreamsMax }),
  });
  registerOperators(app, { identity, pool });
  registerRehearsals(app, { identity, pool, rehearse });
}
