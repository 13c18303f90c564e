import { unforeseen, type Words } from './words';

const endings: Record<string, Words> = {
  'hold-lapsed': {
    title: 'Your hold ran out',
    text: 'The time to pay was over, and the units went back on sale. Nothing was charged.',
    next: ['again', 'drops'],
  },
  'cancelled-by-shopper': {
    title: 'Cancelled',
    text: 'You gave the units back. Nothing was charged.',
    next: ['again', 'drops'],
  },
  'payment-declined': {
    title: 'The payment was declined',
    text: 'The units went back on sale. Nothing was charged.',
    next: ['again', 'drops'],
  },
  'payment-canceled': {
    title: 'The payment was called off',
    text: 'The units went back on sale. Nothing was charged.',
    next: ['again', 'drops'],
  },
  'sold-out': {
    title: 'Sold out before your turn',
    text: 'Others were in the queue before you, and too few units were left. Nothing was charged.',
    next: ['drops'],
  },
  'limit-reached': {
    title: 'Above the limit',
    text: 'With what was in your name already this order would have been above the limit. Nothing was charged.',
    next: ['drops'],
  },
  'payment-limit-reached': {
    title: 'Above the limit for one card',
    text: 'With what was paid for in the same way already this order would have been above the limit. Nothing was charged.',
    next: ['drops'],
  },
  'address-limit-reached': {
    title: 'Above the limit for one address',
    text: 'With what was bought from or for the same address this order would have been above the limit. Nothing was charged.',
    next: ['drops'],
  },
  'decline-limit-reached': {
    title: 'Too many payments were declined',
    text: 'To stop people who try cards that are not theirs, this sale takes no more payments from you. Nothing was charged.',
    next: ['drops'],
  },
  'sale-not-open': {
    title: 'The sale had closed',
    text: 'When the order’s turn came the sale was not open. Nothing was charged.',
    next: ['drops'],
  },
};

const endedByStatus: Record<string, Words> = {
  REJECTED: { title: 'Not this time', text: 'The order was refused. Nothing was charged.', next: ['drops'] },
  EXPIRED: { title: 'Your hold ran out', text: 'The units went back on sale.', next: ['again', 'drops'] },
  CANCELLED: { title: 'Cancelled', text: 'The units went back on sale.', next: ['drops'] },
  FAILED: {
    title: 'Something broke on our side',
    text: 'The order could not be completed, and the units went back. Nothing stays charged.',
    next: ['again', 'drops'],
  },
  REFUNDED: {
    title: 'Your money is on its way back',
    text: 'The payment arrived when the units were gone. All of it is given back.',
    next: ['drops'],
  },
};

/** Why an order has ended without being bought. */
export function wordsForEnd(status: string, reason: string | null): Words {
  if (status === 'REFUNDED' || status === 'FAILED') return endedByStatus[status] ?? unforeseen;
  return (reason === null ? undefined : endings[reason]) ?? endedByStatus[status] ?? unforeseen;
}
