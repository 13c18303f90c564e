import type { Identity } from '../../http/identity/identity.js';
import { registerUsers } from '../../http/routes/operations/give-user-ids.js';
import { registerOperations as registerHealth } from '../../http/routes/operations/health.js';
import { registerWebhooks } from '../../http/routes/operations/payment-events.js';
import { registerSecurityTxt } from '../../http/routes/operations/security-txt.js';
import type { Draining } from '../../http/server/draining.js';
import type { App } from '../../http/server/http-server.js';
import type { AllocateIds } from '../../ids/allocate.js';
import { createCheckIds } from '../../ids/check.js';
import { messageOf } from '../../platform/errors.js';
import { createProbe } from '../../platform/postgres.js';
import type { Parts } from '../parts.js';

export type OperationsOptions = {
  parts: Parts;
  identity: Identity;
  draining: Draining;
  allocateIds: AllocateIds;
};

/** The calls of machines: probes, the payment provider, and the shop's server when it requests ids. */
export function registerOperations(app: App, options: OperationsOptions): void {
  const { parts, identity, draining, allocateIds } = options;
  const { config, pool, commits, shared, payments, settlements } = parts;

  registerHealth(app, {
    isDatabaseUp: async () => (await commits.whyNot()) === undefined,
    isRedisUp: shared?.link.isUp,
    unreadyReasons: () => unreadyReasons(parts, draining),
  });
  registerWebhooks(app, { pool, payments, settlements });
  registerUsers(app, {
    identity,
    kinds: config.ID_KINDS,
    allocateIds,
    whyNoIds: createProbe(createCheckIds(pool)),
  });
  registerSecurityTxt(app, config.SECURITY_CONTACT);
}

async function unreadyReasons(
  { decisionConnections, commits }: Parts,
  draining: Draining,
): Promise<string[]> {
  if (draining.isOn()) return ['this process is shutting down'];
  if (decisionConnections.openCount() === 0) {
    return [`there is no connection to PostgreSQL for decisions: ${decisionConnections.whyMissing()}`];
  }
  const error = await commits.whyNot();
  return error === undefined ? [] : [`PostgreSQL accepts no commits: ${messageOf(error)}`];
}
