import type { Calendar } from '../../catalog/calendar.js';
import type { Sale } from '../../catalog/sales.js';
import type { Acceptance } from '../../ledger/accept.js';
import type { Decision, PurchaseRequest } from '../../ledger/decide.js';
import type { Entrance } from '../../ledger/order-record.js';
import type { Digests } from '../../ledger/request-arrays.js';
import type { FindReplay } from '../../orders/replay.js';
import type { Undecided } from '../../orders/undecided.js';
import type { Patience } from '../../platform/batching/lanes.js';
import { bySending } from '../answers/answer-by-sending.js';
import { type AskOfBuyerParts, createAskOfBuyer, type Missing, type Shown } from './ask-of-buyer.js';
import type { Looked, MemoryRefusal } from './refuse-from-memory.js';
import { headerOf, type Visit } from './visit.js';

export type DecidePurchaseParts = AskOfBuyerParts & { calendar: Calendar; findReplay: FindReplay };

export type DecidePurchaseOptions = {
  entrance: Entrance;
  /** Joins the sale's open batch. */
  join: (
    saleId: number,
    purchase: PurchaseRequest,
    answer: (outcome: Outcome) => void,
    patience: Patience,
  ) => void;
};

type Outcome = Decision | Acceptance | Undecided;
export type Granted = Extract<Outcome, { order: unknown }>;
export type Decided = Outcome | { outcome: MemoryRefusal | Missing };

/** @param answer must not throw. */
export type DecidePurchase = (
  purchase: { visit: Visit; orderId: string },
  looked: Looked,
  answer: (decided: Decided) => void,
) => void;

/**
 * Step two of a purchase: have the ledger decide it in its sale's open batch. A refusal must not hide the order that
 * the first try of this key made, so a refused request with a key is looked up instead. It calls back
 * instead of returning a promise, because with promises a purchase made seven.
 */
export function createDecidePurchase(
  parts: DecidePurchaseParts,
  { entrance, join }: DecidePurchaseOptions,
): DecidePurchase {
  const { calendar, findReplay } = parts;
  const askOfBuyer = createAskOfBuyer(parts, entrance);

  type Purchase = Parameters<DecidePurchase>[0];
  type Answer = Parameters<DecidePurchase>[2];

  function decide(purchase: Purchase, sale: Sale, { missing, digests }: Shown, answer: Answer) {
    if (missing) return lookUp(purchase, missing, answer);
    const { visit, orderId } = purchase;
    join(sale.saleId, requestOf(visit, orderId, entrance, digests), answer, patienceOf(visit));
  }

  function lookUp({ visit, orderId }: Purchase, refusal: MemoryRefusal | Missing, answer: Answer) {
    // No earlier try can have made an order under an id that was drawn just now.
    if (visit.key === undefined) return answer({ outcome: refusal });
    const { productId } = visit.body;
    const request = requestOf(visit, orderId, entrance, undefined);
    // The sale that counts now may be the product's next window, while the first try is still under way in the last
    // one.
    const last = refusal === 'sale-not-open' ? calendar.endedLately(productId) : undefined;
    if (last) return join(last.saleId, request, answer, patienceOf(visit));
    findReplay(request, productId, found => answer(found ?? { outcome: refusal }));
  }

  return (purchase, { offer: { sale }, refusal }, answer) => {
    if (refusal || !sale) return lookUp(purchase, refusal ?? 'sale-not-open', answer);
    const { visit, orderId } = purchase;
    const shown = askOfBuyer(sale, visit, orderId);
    if (shown instanceof Promise) {
      bySending(
        visit.reply,
        shown.then(asked => decide(purchase, sale, asked, answer)),
      );
    } else decide(purchase, sale, shown, answer);
  };
}

function requestOf(
  { request, body, shopperId, quantity, receivedAtMs }: Visit,
  orderId: string,
  entrance: Entrance,
  digests: Digests | undefined,
): PurchaseRequest {
  const { span } = request;
  const { paymentMethod } = body;
  return { orderId, shopperId, quantity, receivedAtMs, entrance, paymentMethod, digests, span };
}

function patienceOf({ request, receivedAtMs }: Visit): Patience {
  const seconds = headerOf(request, 'request-timeout');
  return {
    connection: request.raw.socket,
    deadlineAtMs: seconds === undefined ? undefined : receivedAtMs + Number(seconds) * 1000,
  };
}
