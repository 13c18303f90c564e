import type { Asked, Got } from '../../api/operator';
import type { Tone } from '../../ui/badge';

export type AttemptOutcome = NonNullable<Asked<'/api/admin/attempts'>['outcome']>;
type OrderStatus = Got<'/api/admin/orders'>['orders'][number]['status'];

/** How a try can end; all of them, or it does not compile. */
export const outcomeTones: Record<AttemptOutcome, Tone> = {
  confirmed: 'good',
  reserved: 'good',
  queued: 'good',
  replayed: 'plain',
  'sold-out': 'plain',
  'limit-reached': 'plain',
  'sale-not-open': 'plain',
  'token-required': 'plain',
  'challenge-required': 'plain',
  'challenge-failed': 'plain',
  'limit-key-required': 'bad',
  'payment-limit-reached': 'plain',
  'address-limit-reached': 'plain',
  'decline-limit-reached': 'bad',
  'payment-method-required': 'bad',
  'key-reused': 'plain',
  'code-used': 'plain',
  'code-expired': 'plain',
  'order-ended': 'plain',
  'payment-declined': 'plain',
  overloaded: 'bad',
  undecided: 'bad',
  unknown: 'bad',
};

/** Where an order can stand. */
export const statusTones: Record<OrderStatus, Tone> = {
  QUEUED: 'plain',
  RESERVED: 'live',
  CONFIRMED: 'good',
  REJECTED: 'plain',
  EXPIRED: 'plain',
  CANCELLED: 'plain',
  FAILED: 'bad',
  REFUNDED: 'plain',
};

export function isOutcome(text: string | undefined): text is AttemptOutcome {
  return text !== undefined && Object.hasOwn(outcomeTones, text);
}
