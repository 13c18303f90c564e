import { Fields } from './fields.js';
import { ROAD_CONTRACTS, type Road } from './road.js';

/** The outcome of a request to buy. Only a grant carries an order, and only a granted checkout carries a code. */
export interface Answer {
  readonly slug: string;
  readonly orderId: string | null;
  readonly code: string | null;
}

export interface Wanted {
  readonly productId: number;
  readonly quantity: number;
}

export type AnswerReader = (status: number, body: string) => Answer;

export const INVALID: Answer = { slug: 'invalid-answer', orderId: null, code: null };

/**
 * Reads the answers for one way to buy. A grant that does not name the requested order is `invalid-answer`, never a
 * success. Refusals of a sold-out sale have the same text, so the reader remembers the last one: comparing 200 bytes is
 * a hundred times cheaper than parsing them.
 */
export function answerReader(road: Road, wanted: Wanted): AnswerReader {
  const granted = ROAD_CONTRACTS[road].status;
  const readGrant = GRANT_READERS[road];
  let lastBody = '';
  let lastRefusal: Answer = INVALID;
  return (status, body) => {
    if (status === granted) {
      try {
        return readGrant(body, wanted);
      } catch {
        // Either not JSON or without the promised fields. Both count as the server's fault.
        return INVALID;
      }
    }
    if (body !== lastBody) {
      lastBody = body;
      lastRefusal = { slug: problemSlug(body), orderId: null, code: null };
    }
    return lastRefusal;
  };
}

const GRANT_READERS: Readonly<Record<Road, (body: string, wanted: Wanted) => Answer>> = {
  direct: (body, wanted) => readOrder(new Fields(JSON.parse(body), 'purchase'), wanted, 'CONFIRMED'),
  redeem: (body, wanted) => readOrder(new Fields(JSON.parse(body), 'purchase'), wanted, 'CONFIRMED'),
  checkout(body, wanted) {
    const answer = new Fields(JSON.parse(body), 'checkout');
    const { slug, orderId } = readOrder(answer, wanted, 'RESERVED');
    return orderId === null ? INVALID : { slug, orderId, code: answer.string('code') };
  },
  queued(body) {
    const answer = new Fields(JSON.parse(body), 'order');
    if (answer.string('status') !== 'QUEUED') return INVALID;
    return { slug: ROAD_CONTRACTS.queued.slug, orderId: answer.string('order_id'), code: null };
  },
};

function readOrder(answer: Fields, wanted: Wanted, status: 'CONFIRMED' | 'RESERVED'): Answer {
  const order = answer.object('order');
  const asWanted =
    answer.boolean('success') &&
    order.string('status') === status &&
    order.integer('productId') === wanted.productId &&
    order.integer('quantity') === wanted.quantity;
  return asWanted ? { slug: status.toLowerCase(), orderId: order.string('id'), code: null } : INVALID;
}

/** The stable name of a problem: the part of its `type` after the last slash. */
export function problemSlug(body: string): string {
  try {
    const type = new Fields(JSON.parse(body), 'problem').string('type');
    return type.slice(type.lastIndexOf('/') + 1) || 'no-problem-type';
  } catch {
    return 'no-problem-type';
  }
}
