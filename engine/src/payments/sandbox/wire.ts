import { z } from 'zod';
import { methodLengthMax } from '../provider.js';

// The messages between the sandbox and its adapter, over HTTP and in webhooks.

const paymentId = z.string().min(1).max(200);
const amountMinor = z.int().min(0);
const currency = z.string().regex(/^[A-Za-z]{3}$/, 'expected three letters, such as EUR');

export const chargeSchema = z.strictObject({
  paymentId,
  orderId: z.string().min(1).max(200),
  amountMinor,
  currency,
  method: z.string().max(methodLengthMax).nullable(),
});

export const chargeStateSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('captured'), reference: z.string().min(1), amountMinor, currency }),
  z.object({ status: z.literal('declined'), reference: z.string().nullable(), reason: z.string() }),
  z.object({ status: z.literal('canceled'), reference: z.string().nullable() }),
  z.object({ status: z.literal('pending'), reference: z.string().nullable() }),
]);

export const refundSchema = z.strictObject({ amountMinor });
export const refundedSchema = z.object({ reference: z.string().min(1) });

export const eventSchema = z.object({ id: z.string().min(1), paymentId, charge: chargeStateSchema });
export type SandboxEvent = z.output<typeof eventSchema>;

export const behaviourSchema = z.strictObject({
  mode: z.enum(['ok', 'hang', 'error', 'garbled', 'lost']),
  latencyMs: z.int().min(0).max(60_000).default(0),
  forMs: z.int().min(1).max(3_600_000).optional(),
});
export type Behaviour = z.output<typeof behaviourSchema>;
