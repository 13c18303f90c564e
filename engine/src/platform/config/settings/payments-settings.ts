import { z } from 'zod';
import { integer, secret } from '../fields.js';

/** Who takes the money. */
export const paymentsSettings = {
  PAYMENT_PROVIDER: z
    .enum(['none', 'sandbox', 'stripe'])
    .optional()
    .describe(
      '`stripe` wants its two keys below; with `none` no sale can ask to be paid. Unless set `sandbox`, and `none` with `NODE_ENV=production`',
    ),
  // For one call; with all its tries a purchase waits half a second longer.
  PAYMENT_TIMEOUT_MS: integer(2000, 100, 60_000).describe(
    'for one call to the provider; all its tries together have half a second more',
  ),
  // At 2.5 s each that is 80 payments a second from a provider that hangs, and 2,000 from one that takes 100 ms.
  PAYMENT_IN_FLIGHT_MAX: integer(200, 1, 10_000).describe('calls to the provider under way at once'),
  // One slow answer is bad luck; five failures in a row are a provider in trouble.
  PAYMENT_BREAKER_FAILURES: integer(5, 1, 1000).describe('failures in a row that open the breaker'),
  // How long it is then left alone before one call may try.
  PAYMENT_BREAKER_OPEN_MS: integer(5000, 100, 600_000).describe(
    'how long the breaker is open before one call may try',
  ),
  SANDBOX_PORT: integer(3010, 0, 65_535).describe('where the sandbox listens; 0 is a free one'),
  SANDBOX_URL: z
    .string()
    .regex(/^https?:\/\/[^\s/]+$/, 'expected an address such as http://127.0.0.1:3010')
    .default('http://127.0.0.1:3010')
    .describe('where the engine asks the sandbox; `start` knows its own'),
  // Where the sandbox sends its webhooks; the API on this machine unless set.
  PAYMENT_WEBHOOK_URL: z
    .string()
    .regex(/^https?:\/\/\S+$/, 'expected an address such as http://127.0.0.1:3000/api/webhooks/payments')
    .optional()
    .describe('where the sandbox sends its webhooks; unless set the API on this machine'),
  STRIPE_SECRET_KEY: secret().describe("from Stripe's dashboard"),
  STRIPE_WEBHOOK_SECRET: secret().describe("from Stripe's dashboard"),
};
