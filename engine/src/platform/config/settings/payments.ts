import { z } from 'zod';
import { integer, secret } from '../fields.js';

/** Who takes the money. */
export const paymentsSettings = {
  PAYMENT_PROVIDER: z.enum(['none', 'sandbox', 'stripe']).optional(),
  SANDBOX_PORT: integer(3010, 0, 65_535),
  SANDBOX_URL: z
    .string()
    .regex(/^https?:\/\/[^\s/]+$/, 'expected an address such as http://127.0.0.1:3010')
    .default('http://127.0.0.1:3010'),
  // Where the sandbox sends its webhooks; the API on this machine unless set.
  PAYMENT_WEBHOOK_URL: z
    .string()
    .regex(/^https?:\/\/\S+$/, 'expected an address such as http://127.0.0.1:3000/api/webhooks/payments')
    .optional(),
  STRIPE_SECRET_KEY: secret(),
  STRIPE_WEBHOOK_SECRET: secret(),
};
