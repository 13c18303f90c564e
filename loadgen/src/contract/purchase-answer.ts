import { Fields } from './fields.js';

/** How a purchase was answered. Only `confirmed` carries an order. */
export interface PurchaseAnswer {
  readonly slug: string;
  readonly orderId: string | null;
}

export interface Wanted {
  readonly productId: number;
  readonly quantity: number;
}

const INVALID: PurchaseAnswer = { slug: 'invalid-answer', orderId: null };

/**
 * Reads the answers of POST /api/purchase. A 200 that does not name a confirmed order for what was asked is
 * `invalid-answer`, never a success. Refusals of a sold-out sale are alike, so the last one read is remembered by its
 * text: comparing 200 bytes is a hundred times cheaper than parsing them.
 */
export function purchaseAnswerReader(wanted: Wanted): (status: number, body: string) => PurchaseAnswer {
  let lastBody = '';
  let lastRefusal: PurchaseAnswer = INVALID;
  return (status, body) => {
    if (status === 200) return readOrder(body, wanted);
    if (body !== lastBody) {
      lastBody = body;
      lastRefusal = { slug: problemSlug(body), orderId: null };
    }
    return lastRefusal;
  };
}

function readOrder(body: string, wanted: Wanted): PurchaseAnswer {
  try {
    const answer = new Fields(JSON.parse(body), 'purchase');
    const order = answer.object('order');
    const asWanted =
      answer.boolean('success') &&
      order.string('status') === 'CONFIRMED' &&
      order.integer('productId') === wanted.productId &&
      order.integer('quantity') === wanted.quantity;
    return asWanted ? { slug: 'confirmed', orderId: order.string('id') } : INVALID;
  } catch {
    // Not JSON, or not the promised fields: both are the server's fault and counted as such.
    return INVALID;
  }
}

/** The stable name of a problem: what follows the last slash of its `type`. */
export function problemSlug(body: string): string {
  try {
    const type = new Fields(JSON.parse(body), 'problem').string('type');
    return type.slice(type.lastIndexOf('/') + 1) || 'no-problem-type';
  } catch {
    return 'no-problem-type';
  }
}
