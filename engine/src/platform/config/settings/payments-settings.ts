import { z } from 'zod';
import { integer, secret } from '../fields.js';

/** The payment provider. */
export const paymentsSettings = {
  PAYMENT_PROVIDER: z
    .enum(['none', 'sandbox', 'stripe'])
    .optional()
    .describe(
      '`stripe` requires its two keys below; with `none`, no sale can require payment. Unless set: `sandbox`, or `none` with `NODE_ENV=production`',
    ),
  PAYMENT_TIMEOUT_MS: integer(2000, 100, 60_000).describe(
    'timeout for one try of a call to the provider; a call with its retries may take half a second longer',
  ),
  // With a provider that hangs for 2.5 s a call, this allows 80 payments a second; with one that takes 100 ms, 2,000.
  PAYMENT_IN_FLIGHT_MAX: integer(200, 1, 10_000).describe('concurrent calls to the provider'),
  // One slow answer is bad luck; five failures in a row mean that the provider is in trouble.
  PAYMENT_BREAKER_FAILURES: integer(5, 1, 1000).describe('failures in a row that open the breaker'),
  PAYMENT_BREAKER_OPEN_MS: integer(5000, 100, 600_000).describe(
    'how long the breaker stays open before it lets one call through as a probe',
  ),
  SANDBOX_PORT: integer(3010, 0, 65_535).describe('port of the sandbox; 0 picks a free one'),
  SANDBOX_URL: z
    .string()
    .regex(/^https?:\/\/[^\s/]+$/, 'expected an address such as http://127.0.0.1:3010')
    .default('http://127.0.0.1:3010')
    .describe('address at which the engine calls the sandbox; `start` fills it in'),
  PAYMENT_WEBHOOK_URL: z
    .string()
    .regex(/^https?:\/\/\S+$/, 'expected an address such as http://127.0.0.1:3000/api/webhooks/payments')
    .optional()
    .describe('where the sandbox sends its webhooks; unless set, to the API on this machine'),
  STRIPE_SECRET_KEY: secret().describe("from Stripe's dashboard"),
  STRIPE_WEBHOOK_SECRET: secret().describe("from Stripe's dashboard"),
};
