import type { Calendar } from '../../catalog/calendar.js';
import type { Sale } from '../../catalog/sales.js';
import type { Acceptance } from '../../ledger/accept.js';
import type { Decision, PurchaseRequest } from '../../ledger/decide.js';
import type { Entrance } from '../../ledger/order-record.js';
import { orderIdOf } from '../../orders/order-id.js';
import type { FindReplay } from '../../orders/replay.js';
import type { Undecided } from '../../orders/undecided.js';
import type { Patience } from '../../platform/batching/lanes.js';
import { type AskOfBuyerParts, createAskOfBuyer, type Missing } from './ask-of-buyer.js';
import type { Looked, MemoryRefusal } from './refuse-from-memory.js';
import { headerOf, type Visit } from './visit.js';

export type DecidePurchaseParts = AskOfBuyerParts & { calendar: Calendar; findReplay: FindReplay };

export type DecidePurchaseOptions = {
  entrance: Entrance;
  /** Joins the sale's open batch. */
  join: (saleId: number, purchase: PurchaseRequest, patience: Patience) => Promise<Outcome>;
};

type Outcome = Decision | Acceptance | Undecided;
export type Granted = Extract<Outcome, { order: unknown }>;
export type Decided = Outcome | { outcome: MemoryRefusal | Missing };

/**
 * Step two of a purchase: have the ledger decide it in its sale's open batch. A refusal must not hide the order that
 * the first try of this key made, so a refused request with a key is looked up instead.
 */
export function createDecidePurchase(parts: DecidePurchaseParts, { entrance, join }: DecidePurchaseOptions) {
  const { calendar, findReplay } = parts;
  const askOfBuyer = createAskOfBuyer(parts, entrance);

  async function decide(visit: Visit, sale: Sale, orderId: string): Promise<Decided> {
    const asked = askOfBuyer(sale, visit, orderId);
    const { missing, digests } = asked instanceof Promise ? await asked : asked;
    if (missing) return lookUp(visit, missing, orderId);
    const purchase = { ...purchaseOf(visit, orderId, entrance), digests };
    return join(sale.saleId, purchase, patienceOf(visit));
  }

  async function lookUp(visit: Visit, refusal: MemoryRefusal | Missing, orderId: string): Promise<Decided> {
    // No earlier try can have made an order under an id that was drawn just now.
    if (visit.key === undefined) return { outcome: refusal };
    const { productId } = visit.body;
    const purchase = purchaseOf(visit, orderId, entrance);
    // The sale that counts now may be the product's next window, while the first try is still under way in the last
    // one.
    const last = refusal === 'sale-not-open' ? calendar.endedLately(productId) : undefined;
    if (last) return join(last.saleId, purchase, patienceOf(visit));
    return (await findReplay(purchase, productId)) ?? { outcome: refusal };
  }

  return async (visit: Visit, { sale, refusal }: Looked): Promise<{ orderId: string; decided: Decided }> => {
    const { request, receivedAtMs } = visit;
    const orderId = orderIdOf(visit.shopperId, visit.key);
    const decided =
      refusal || !sale
        ? await lookUp(visit, refusal ?? 'sale-not-open', orderId)
        : await decide(visit, sale, orderId);
    request.decision = { orderId, receivedAtMs, decidedAtMs: performance.now() };
    return { orderId, decided };
  };
}

function purchaseOf(visit: Visit, orderId: string, entrance: Entrance): PurchaseRequest {
  const { request, body, shopperId, quantity, receivedAtMs } = visit;
  const { paymentMethod } = body;
  return { orderId, shopperId, quantity, receivedAtMs, entrance, paymentMethod, span: request.span };
}

function patienceOf({ request, receivedAtMs }: Visit): Patience {
  const seconds = headerOf(request, 'request-timeout');
  return {
    connection: request.raw.socket,
    deadlineAtMs: seconds === undefined ? undefined : receivedAtMs + Number(seconds) * 1000,
  };
}
