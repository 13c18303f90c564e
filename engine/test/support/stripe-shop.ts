import { onTestFinished, vi } from 'vitest';
import { startTestApi, type TestApi } from './api.js';
import { type StripeDouble, startStripeDouble } from './stripe-double.js';

const secretKey = 'sk_test_0000000000';
const webhookSecret = 'whsec_0000000000000';

/** An engine with all its roles, paid through Stripe's own SDK, which finds the double at Stripe's address. */
export async function startStripeShop(
  databaseUrl: string,
  env: Record<string, string> = {},
): Promise<{ api: TestApi; double: StripeDouble }> {
  const double = await startStripeDouble({ secretKey, webhookSecret, webhookUrl: 'http://127.0.0.1:1' });
  onTestFinished(() => double.close());
  const realFetch = globalThis.fetch;
  vi.stubGlobal('fetch', (url: string | URL | Request, init?: RequestInit) =>
    realFetch(typeof url === 'string' ? url.replace('https://api.stripe.com', double.url) : url, init),
  );
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  const settings = {
    PAYMENT_PROVIDER: 'stripe',
    STRIPE_SECRET_KEY: secretKey,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    ENABLE_METRICS: 'true',
    METRICS_PORT: '0',
    ...env,
  };
  const api = await startTestApi(databaseUrl, settings, {
    roles: ['api', 'worker', 'scheduler', 'compensator'],
  });
  return { api, double };
}
