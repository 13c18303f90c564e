import { join } from 'node:path';
import pino from 'pino';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { AppOptions } from '../../src/app/app.js';
import { sandboxSecrets } from '../../src/app/payments.js';
import { startSandbox } from '../../src/payments/sandbox/start.js';
import type { Behaviour } from '../../src/payments/sandbox/wire.js';
import { startTestApi, type TestApi } from './api.js';
import { secrets } from './config.js';
import { createTestDir } from './payment-rigs.js';

export type PaidShop = {
  api: TestApi;
  /** What another process needs to pay at the same provider. */
  env: Record<string, string>;
  /** Tells the payment provider how to answer from now on. */
  behave(behaviour: Partial<Behaviour>): Promise<void>;
  /** What the provider itself has in its books. */
  totals(): Promise<z.infer<typeof totalsSchema>>;
};

const totalsSchema = z.object({
  captured: z.number(),
  capturedMinor: z.number(),
  refunded: z.number(),
  refundedMinor: z.number(),
});

export const allRoles = ['api', 'worker', 'scheduler', 'compensator'] as const;

/** An engine with all its roles, and a sandbox to pay with, as a service of its own over HTTP. */
export async function startPaidShop(
  databaseUrl: string,
  options: { env?: Record<string, string>; roles?: AppOptions['roles'] } = {},
): Promise<PaidShop> {
  const { apiKey } = sandboxSecrets(secrets);
  const sandbox = await startSandbox({
    ...{ host: '127.0.0.1', port: 0, apiKey, webhook: undefined },
    dataFile: join(await createTestDir(), 'charges.ndjson'),
    logger: pino({ level: 'silent' }),
  });
  onTestFinished(() => sandbox.close());
  const { roles = allRoles, env = {} } = options;
  const inForce = { SANDBOX_URL: sandbox.url, ...env };
  const api = await startTestApi(databaseUrl, inForce, { roles });
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  return {
    api,
    env: inForce,
    async behave(behaviour) {
      const body = JSON.stringify({ mode: 'ok', ...behaviour });
      const answer = await fetch(`${sandbox.url}/behaviour`, { method: 'PUT', headers, body });
      if (!answer.ok) throw new Error(`the sandbox answered ${answer.status}: ${await answer.text()}`);
    },
    totals: async () => totalsSchema.parse(await (await fetch(`${sandbox.url}/totals`, { headers })).json()),
  };
}
