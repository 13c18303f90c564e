import { z } from 'zod';
import type { StoredAttempt } from '../../ledger/list-attempts.js';
import type { Undecided } from '../../orders/undecided.js';
import type { Refused } from '../buying/answer-refusal.js';
import type { RedeemRefusal } from '../buying/redeem.js';
import { idSchema } from './schemas.js';

type AttemptOutcome =
  | 'confirmed'
  | 'reserved'
  | 'queued'
  | 'replayed'
  | Exclude<Refused, 'rate-limited' | 'sale-paused' | 'order-not-found'>
  | RedeemRefusal
  | Undecided['outcome'];

/** Every outcome that an attempt may have, with the sentence that answers "why not me?". */
const messages = {
  confirmed: 'Bought: the order is yours.',
  reserved: 'Units were reserved for you.',
  queued: 'The order was taken in and waits to be decided.',
  replayed: 'This purchase had been made already, and its order was shown again.',
  'sale-not-open': 'The sale was not open at that moment: not yet, paused, or over.',
  'limit-reached': 'With this the buyer would have had more than one buyer may have in this sale.',
  'limit-key-required': 'The sale counts by payment fingerprint or address, and the call stated none.',
  'payment-limit-reached': 'With this more would have been paid for in one way than the sale allows.',
  'address-limit-reached': 'With this more would have gone to one address than the sale allows.',
  'decline-limit-reached': 'Too many payments of this buyer in this sale had been declined.',
  'payment-method-required': 'The sale has to be paid for, and the call named no way to pay.',
  'sold-out': 'Fewer units were left than were asked for when the turn came.',
  'token-required': 'The sale was for those who had fetched a token before it opened.',
  'challenge-required': 'The challenge of the sale had not been solved.',
  'challenge-failed': 'The challenge was not solved, too old, or used for another purchase.',
  'key-reused': 'The Idempotency-Key had been used for another purchase.',
  'code-used': 'The code had been used already.',
  'code-expired': 'The code had expired, and its units had gone back.',
  'order-ended': 'The order of this code had ended.',
  'payment-declined': 'The payment was declined; nothing was charged.',
  overloaded:
    'Too many people came at once, and this purchase did not get its turn in time. Nothing was taken.',
  undecided: 'The purchase could not be decided. Nothing was taken.',
  unknown: 'A connection was lost at the last moment; the orders tell whether the purchase went through.',
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

/** How many attempts are listed at once. */
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
  message: 'Bought: the order is yours.',
  orderId: '29f28461-0ee4-88ee-afa9-bb9b284bc448',
  durationMs: 4.2,
} satisfies z.input<typeof attemptSchema>;
