import type { Gate } from '../../admission/gate/gate.js';
import { createEventStreams } from '../../http/event-stream.js';
import type { Identity } from '../../http/identity/identity.js';
import { createLiveBroadcast } from '../../http/live-broadcast.js';
import { registerAdmin } from '../../http/routes/admin.js';
import { registerAdminAttempts } from '../../http/routes/attempts.js';
import { registerDeadLetters } from '../../http/routes/dead-letters.js';
import { registerFaults } from '../../http/routes/faults.js';
import { registerLive } from '../../http/routes/live.js';
import { registerOperators } from '../../http/routes/operators.js';
import { registerProtection } from '../../http/routes/protection.js';
import { registerRehearsals } from '../../http/routes/rehearsals.js';
import { registerWebhookDeliveries } from '../../http/routes/webhook-deliveries.js';
import { registerWebhookEndpoints } from '../../http/routes/webhook-endpoints.js';
import type { App } from '../../http/server.js';
import type { Rehearse } from '../../rehearsals/rehearse.js';
import { createSeal } from '../../webhooks/seal.js';
import type { ApiFigures } from '../instruments.js';
import type { Parts } from '../parts.js';
import { destinationsOf } from '../webhooks.js';
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

// Each operator has a page or two open; a frame is a few kilobytes, written anew for each.
const liveStreamsMax = 50;

/** What operators call, and their console. */
export function registerOperator(app: App, options: OperatorOptions): void {
  const { parts, memory, layers, identity, gate, figures, rehearse } = options;
  const { config, pool, clock, secrets, queue, faults, faultBroadcast, refusals } = parts;
  const { decisions, settlements, payments, instruments } = parts;

  registerAdmin(app, {
    identity,
    pool,
    clock,
    calendar: memory.calendar,
    gate,
    canBePaid: config.PAYMENT_PROVIDER !== 'none',
    stepMinor: payments.stepMinor,
    onAudit: instruments.audit.note,
  });
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
