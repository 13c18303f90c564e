import type { Order } from '../api/client';

/** A status in one word of everyday language. */
export function statusWord({ status, prize }: Pick<Order, 'status' | 'prize'>): string {
  if (status === 'CONFIRMED' && prize) return 'Bought, and won';
  return words[status];
}

const words: Record<Order['status'], string> = {
  QUEUED: 'In the queue',
  RESERVED: 'Held for you',
  CONFIRMED: 'Bought',
  REJECTED: 'Refused',
  EXPIRED: 'Hold ran out',
  CANCELLED: 'Cancelled',
  FAILED: 'Failed',
  REFUNDED: 'Refunded',
};
