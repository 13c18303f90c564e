import { z } from 'zod';
import type { StoredAttempt } from '../../ledger/list-attempts.js';
import type { Undecided } from '../../orders/undecided.js';
import { idSchema } from '../answers/schemas.js';
import type { Refused } from './answer-refusal.js';
import type { RedeemRefusal } from './redeem.js';

type AttemptOutcome =
  | 'confirmed'
  | 'reserved'
  | 'queued'
  | 'replayed'
  | Exclude<Refused, 'rate-limited' | 'sale-paused' | 'order-not-found'>
  | RedeemRefusal
  | Undecided['outcome'];

/** Every outcome that an attempt may have, with the sentence that explains it to the shopper. */
const messages = {
  confirmed: 'The purchase was confirmed.',
  reserved: 'Units were reserved for you.',
  queued: 'The order was accepted and is waiting to be decided.',
  replayed: 'This purchase had already been made, and its order was returned again.',
  'sale-not-open': 'The sale was not open at that moment: it had not begun, was paused, or had ended.',
  'limit-reached': 'This would have exceeded the limit per buyer for this sale.',
  'limit-key-required':
    'The sale limits units per payment fingerprint or address, and the request did not include one.',
  'payment-limit-reached': 'This would have exceeded the limit per payment method for this sale.',
  'address-limit-reached': 'This would have exceeded the limit per address for this sale.',
  'decline-limit-reached': "Too many of the buyer's payments in this sale had been declined.",
  'payment-method-required': 'The sale requires payment, and the request included no payment method.',
  'sold-out': 'Fewer units were left than requested.',
  'token-required': 'The sale required a token, available only before it opened.',
  'challenge-required': "The sale's challenge had not been solved.",
  'challenge-failed': 'The challenge was not solved, too old, or already used for another purchase.',
  'key-reused': 'The Idempotency-Key had been used for another purchase.',
  'code-used': 'The code had already been used.',
  'code-expired': 'The code had expired, and its units had been returned.',
  'order-ended': 'The order behind this code had ended.',
  'payment-declined': 'The payment was declined; nothing was charged.',
  overloaded:
    'Too many requests came at once, and this purchase did not get its turn in time. Nothing was taken.',
  undecided: 'The purchase could not be decided. Nothing was taken.',
  unknown: 'The connection was lost at the last moment. Your orders show whether the purchase went through.',
} as const satisfies Record<AttemptOutcome, string>;

export const attemptOutcomes = Object.keys(messages).filter(isKnown);

/** An attempt as its shopper sees it. */
export function attemptView(attempt: StoredAttempt) {
  const { productId, saleId, quantity, outcome, orderId } = attempt;
  return {
    at: attempt.answeredAt.toISOString(),
    productId,
    saleId,
    quantity,
    outcome,
    message: isKnown(outcome) ? messages[outcome] : `Refused: ${outcome}.`,
    orderId,
    durationMs: attempt.durationUs / 1000,
  };
}

export function adminAttemptView(attempt: StoredAttempt) {
  return { shopperId: attempt.shopperId, ...attemptView(attempt) };
}

function isKnown(outcome: string): outcome is keyof typeof messages {
  return Object.hasOwn(messages, outcome);
}

/** How many attempts one call lists. */
export const attemptLimitSchema = z
  .string()
  .regex(/^([1-9]\d{0,2}|1000)$/, 'expected a whole number from 1 to 1000')
  .transform(Number)
  .default(100);

export const attemptSchema = z.object({
  at: z.iso.datetime(),
  productId: idSchema,
  saleId: idSchema.nullable(),
  quantity: z.int(),
  outcome: z.string(),
  message: z.string().meta({ description: 'Why the attempt ended as it did' }),
  orderId: z.uuid().nullable(),
  durationMs: z.number(),
});

export const attemptExample = {
  at: '2026-11-20T12:00:00.000Z',
  productId: 1,
  saleId: 1,
  quantity: 2,
  outcome: 'confirmed',
  message: 'The purchase was confirmed.',
  orderId: '29f28461-0ee4-88ee-afa9-bb9b284bc448',
  durationMs: 4.2,
} satisfies z.input<typeof attemptSchema>;
