import { randomUUID } from 'node:crypto';
import type { PurchaseRequest } from '../dist/ledger/decide.js';

/** One unit for a shopper who has bought nothing so far. */
export function newPurchase(): PurchaseRequest {
  const orderId = randomUUID();
  return { orderId, shopperId: `shopper-${orderId}`, quantity: 1, receivedAtMs: performance.now() };
}
