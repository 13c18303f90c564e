import type { FastifyRequest } from 'fastify';
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
import type { MemoryRefusal } from './refuse-from-memory.js';
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

  return async (
    visit: Visit,
    sale: Sale | undefined,
    refusal: MemoryRefusal | undefined,
  ): Promise<{ orderId: string; decided: Decided }> => {
    const { request, body, shopperId, quantity, key, receivedAtMs } = visit;
    const orderId = orderIdOf(shopperId, key);
    const asked = sale && !refusal ? askOfBuyer(sale, visit, orderId) : {};
    const { missing, digests } = asked instanceof Promise ? await asked : asked;
    // No earlier try can have made an order under an id that was drawn just now.
    if (missing && key === undefined) return { orderId, decided: { outcome: missing } };
    const { paymentMethod } = body;
    const purchase = {
      orderId,
      shopperId,
      quantity,
      receivedAtMs,
      entrance,
      paymentMethod,
      digests,
      span: request.span,
    };
    // The sale that counts now may be the product's next window, while the first try is still under way in the last
    // one.
    const last = refusal === 'sale-not-open' ? calendar.endedLately(body.productId) : undefined;
    const counts = last ?? (refusal || missing ? undefined : sale);
    const decided = counts
      ? await join(counts.saleId, purchase, patienceOf(request, receivedAtMs))
      : ((await findReplay(purchase, body.productId)) ?? {
          outcome: refusal ?? missing ?? 'sale-not-open',
        });
    request.decision = { orderId, receivedAtMs, decidedAtMs: performance.now() };
    return { orderId, decided };
  };
}

function patienceOf(request: FastifyRequest, receivedAtMs: number): Patience {
  const seconds = headerOf(request, 'request-timeout');
  return {
    connection: request.raw.socket,
    deadlineAtMs: seconds === undefined ? undefined : receivedAtMs + Number(seconds) * 1000,
  };
}
