import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { Charge, PaymentProvider } from '../../src/payments/provider.js';
import { createSandboxProvider } from '../../src/payments/sandbox/sandbox-provider.js';
import { sign } from '../../src/payments/sandbox/signature.js';
import { startSandbox } from '../../src/payments/sandbox/start-sandbox.js';
import { createStripeProvider } from '../../src/payments/stripe.js';
import { type Mode, type StripeDouble, signAsStripe, startStripeDouble } from './stripe-double.js';
import { startWebhookReceiver, type Webhook } from './webhook-receiver.js';

type Totals = ReturnType<StripeDouble['totals']>;

/** A provider's service, what a test can tell it, and the adapter that calls it. */
export type Rig = {
  provider: PaymentProvider;
  /** The adapter with another address or key. */
  misconfigured(settings: { url?: string; key?: string }): PaymentProvider;
  goodMethod: string;
  declinedMethod: string;
  behave(mode: Mode): Promise<void>;
  totals(): Promise<Totals>;
  received: Webhook[];
  /** Headers that prove that a body came from the provider. */
  sign(rawBody: string, atSeconds: number): Record<string, string>;
};

export const sandboxKey = 'sandbox-key-000000';
const webhookSecret = 'whsec_test-secret-000000';
const stripeKey = 'sk_test_000000';
const logger = pino({ level: 'silent' });

const totalsSchema = z.object({
  captured: z.number(),
  capturedMinor: z.number(),
  refunded: z.number(),
  refundedMinor: z.number(),
});

export async function startSandboxRig(): Promise<Rig> {
  const webhooks = await startWebhookReceiver();
  const sandbox = await startSandbox({
    host: '127.0.0.1',
    port: 0,
    dataFile: join(await createTestDir(), 'charges.ndjson'),
    webhook: { url: webhooks.url, secret: webhookSecret },
    apiKey: sandboxKey,
    logger,
  });
  onTestFinished(() => sandbox.close());
  const misconfigured: Rig['misconfigured'] = ({ url = sandbox.url, key = sandboxKey }) =>
    createSandboxProvider({ url, apiKey: key, webhookSecret });
  return {
    provider: misconfigured({}),
    misconfigured,
    goodMethod: 'card',
    declinedMethod: 'declined',
    behave: async mode => {
      await askSandbox(sandbox.url, 'PUT', '/behaviour', { mode });
    },
    totals: async () => totalsSchema.parse(await askSandbox(sandbox.url, 'GET', '/totals')),
    received: webhooks.received,
    sign: (rawBody, atSeconds) => ({ 'x-sandbox-signature': sign(rawBody, webhookSecret, atSeconds) }),
  };
}

export async function startStripeRig(): Promise<Rig & { double: StripeDouble }> {
  const webhooks = await startWebhookReceiver();
  const double = await startStripeDouble({ secretKey: stripeKey, webhookSecret, webhookUrl: webhooks.url });
  onTestFinished(() => double.close());
  const misconfigured: Rig['misconfigured'] = ({ url = double.url, key = stripeKey }) =>
    createStripeProvider({ secretKey: key, webhookSecret, apiBase: url });
  return {
    double,
    provider: misconfigured({}),
    misconfigured,
    goodMethod: 'pm_card_visa',
    declinedMethod: 'pm_card_visa_chargeDeclinedInsufficientFunds',
    behave: async mode => double.behave(mode),
    totals: async () => double.totals(),
    received: webhooks.received,
    sign: (rawBody, atSeconds) => ({ 'stripe-signature': signAsStripe(rawBody, webhookSecret, atSeconds) }),
  };
}

/** A new charge. */
export function createCharge(method = 'card'): Charge {
  return { paymentId: randomUUID(), orderId: randomUUID(), amountMinor: 1999, currency: 'EUR', method };
}

export async function askSandbox(
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const answer = await fetch(new URL(path, url), {
    method,
    headers: { authorization: `Bearer ${sandboxKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

export async function createTestDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'doorbuster-sandbox-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}
