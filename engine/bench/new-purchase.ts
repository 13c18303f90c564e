import { randomUUID } from 'node:crypto';
import type { PurchaseRequest } from '../dist/ledger/decide.js';

/** A purchase of one unit by a shopper who has bought nothing before. */
export function newPurchase(): PurchaseRequest {
  const orderId = randomUUID();
  return { orderId, shopperId: `shopper-${orderId}`, quantity: 1, receivedAtMs: performance.now() };
}
