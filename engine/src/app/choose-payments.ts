import { createHmac } from 'node:crypto';
import type { Logger } from 'pino';
import type { Faults } from '../faults/faults.js';
import { PaymentError, type PaymentProvider } from '../payments/provider.js';
import { createResilientPayments, type Payments } from '../payments/resilient.js';
import { createSandboxProvider } from '../payments/sandbox/sandbox-provider.js';
import type { Config } from '../platform/config/config.js';
import type { Secrets } from '../platform/secrets.js';
import type { Tracing } from '../platform/telemetry/tracing.js';
import { createPaymentHooks } from './hooks/payment-hooks.js';

type PaymentsOptions = {
  config: Config;
  secrets: Secrets;
  logger: Logger;
  faults: Faults;
  tracing: Tracing | undefined;
};

/** The payment provider that the settings name, behind its time limits, retries and breaker. */
export async function createPayments(options: PaymentsOptions): Promise<Payments> {
  const { config, logger, faults, tracing } = options;
  const provider = await createProvider(options);
  return createResilientPayments({
    provider,
    hooks: createPaymentHooks(provider.name, tracing, faults),
    timeoutMs: config.PAYMENT_TIMEOUT_MS,
    // After a first try that times out, there is time for a second one that is refused or answered at once.
    budgetMs: config.PAYMENT_TIMEOUT_MS + 500,
    inFlightMax: config.PAYMENT_IN_FLIGHT_MAX,
    breaker: {
      failuresMax: config.PAYMENT_BREAKER_FAILURES,
      openMs: config.PAYMENT_BREAKER_OPEN_MS,
    },
    onBreaker: (state, reason) => logger.warn({ state, reason }, 'the payment circuit breaker changed state'),
  });
}

async function createProvider({ config, secrets }: PaymentsOptions): Promise<PaymentProvider> {
  if (config.PAYMENT_PROVIDER === 'none') return noProvider;
  if (config.PAYMENT_PROVIDER === 'sandbox') {
    return createSandboxProvider({ url: config.SANDBOX_URL, ...sandboxSecrets(secrets) });
  }
  const { STRIPE_SECRET_KEY: secretKey = '', STRIPE_WEBHOOK_SECRET: webhookSecret = '' } = config;
  // A third of all the modules that a process loads; loaded only if Stripe is used.
  const { createStripeProvider } = await import('../payments/stripe.js');
  return createStripeProvider({ secretKey, webhookSecret });
}

const unavailable = () =>
  Promise.reject(new PaymentError('PROVIDER_UNAVAILABLE', 'PAYMENT_PROVIDER is none'));

// Without a provider no sale that requires payment can be created. Payments left over from earlier ones wait for a
// provider.
const noProvider: PaymentProvider = {
  name: 'none',
  needsMethod: false,
  stepMinor: () => 1,
  charge: unavailable,
  cancel: unavailable,
  refund: unavailable,
  readWebhook: () => undefined,
};

/** Secrets between the engine and its sandbox, derived so that two processes with the same secret key agree. */
export function sandboxSecrets({ secretKey }: Secrets): { apiKey: string; webhookSecret: string } {
  const derive = (use: string) => createHmac('sha256', secretKey).update(use).digest('base64url');
  return { apiKey: derive('sandbox-api-key'), webhookSecret: derive('sandbox-webhooks') };
}
