import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { AppOptions } from '../../src/app/app.js';
import { sandboxSecrets } from '../../src/app/choose-payments.js';
import { startSandbox } from '../../src/payments/sandbox/start-sandbox.js';
import type { Behaviour } from '../../src/payments/sandbox/wire.js';
import { startTestApi, type TestApi } from './api.js';
import { secrets } from './config.js';
import { createTestDir } from './payment-rigs.js';

export type PaidShop = {
  api: TestApi;
  /** What another process needs to use the same provider. */
  env: { SANDBOX_URL: string } & Record<string, string>;
  /** Tells the payment provider how to answer from now on. */
  behave(behaviour: Partial<Behaviour>): Promise<void>;
  /** The totals in the provider's own books. */
  totals(): Promise<z.infer<typeof totalsSchema>>;
};

const totalsSchema = z.object({
  captured: z.number(),
  capturedMinor: z.number(),
  refunded: z.number(),
  refundedMinor: z.number(),
});

const allRoles = ['api', 'worker', 'scheduler', 'compensator'] as const;

export type PaidShopOptions = {
  env?: Record<string, string>;
  roles?: AppOptions['roles'];
  /** Where the sandbox sends its webhooks; nowhere by default. */
  webhookUrl?: string;
  /**
   * Puts a proxy between engine and sandbox: it receives the sandbox's address and returns the one to call instead.
   */
  interpose?: (sandboxUrl: string) => Promise<string>;
  /** The engine's logger; silent by default. */
  logger?: Logger;
};

/** An engine with all its roles, and a sandbox as a separate service over HTTP. */
export async function startPaidShop(databaseUrl: string, options: PaidShopOptions = {}): Promise<PaidShop> {
  const silent = pino({ level: 'silent' });
  const { roles = allRoles, env = {}, webhookUrl, interpose = async url => url, logger = silent } = options;
  const { apiKey, webhookSecret: secret } = sandboxSecrets(secrets);
  const sandbox = await startSandbox({
    host: '127.0.0.1',
    port: 0,
    apiKey,
    webhook: webhookUrl === undefined ? undefined : { url: webhookUrl, secret },
    dataFile: join(await createTestDir(), 'charges.ndjson'),
    logger: silent,
  });
  onTestFinished(() => sandbox.close());
  const inForce = { SANDBOX_URL: await interpose(sandbox.url), ...env };
  const api = await startTestApi(databaseUrl, inForce, { roles, logger });
  return { api, env: inForce, ...talkToSandbox(sandbox.url) };
}

/** What a test can tell a running sandbox. */
export function talkToSandbox(url: string): Pick<PaidShop, 'behave' | 'totals'> {
  const { apiKey } = sandboxSecrets(secrets);
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  return {
    async behave(behaviour) {
      const body = JSON.stringify({ mode: 'ok', ...behaviour });
      const answer = await fetch(`${url}/behaviour`, { method: 'PUT', headers, body });
      if (!answer.ok) throw new Error(`the sandbox answered ${answer.status}: ${await answer.text()}`);
    },
    totals: async () => totalsSchema.parse(await (await fetch(`${url}/totals`, { headers })).json()),
  };
}
