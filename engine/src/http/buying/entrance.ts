import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Gate } from '../../admission/gate/gate.js';
import type { Product } from '../../catalog/products.js';
import type { Attempt } from '../../ledger/attempt-buffer.js';
import type { Attempts } from '../../ledger/attempts.js';
import { orderIdOf } from '../../orders/order-id.js';
import { bySending } from '../answers/answer-by-sending.js';
import { sendProblem } from '../answers/send-problem.js';
import type { Identity } from '../identity/identity.js';
import { answerRefusal, type Refused } from './answer-refusal.js';
import {
  createDecidePurchase,
  type Decided,
  type DecidePurchaseOptions,
  type DecidePurchaseParts,
  type Granted,
} from './decide-purchase.js';
import { createRefuseFromMemory, type Known, type Looked, type MemoryParts } from './refuse-from-memory.js';
import { type BuyBody, type Visit, visitOf } from './visit.js';

export type EntranceParts = MemoryParts &
  DecidePurchaseParts & { identity: Identity; gate: Pick<Gate, 'limitReached'>; attempts: Attempts };

/** A request with an order, new or from an earlier try of the same intent. */
export type Entered = { visit: Visit; granted: Granted; product: Product; orderId: string };

/**
 * Answers a request that is refused, and passes one with an order to `answerOrder`, now or later.
 *
 * @throws ProblemError
 */
export type Enter = (
  request: FastifyRequest,
  body: BuyBody,
  reply: FastifyReply,
  answerOrder: (entered: Entered) => unknown,
) => void;

/** What the three ways to buy share: refuse from memory, decide, answer. */
export function createEntrance(parts: EntranceParts, options: DecidePurchaseOptions): Enter {
  const refuseFromMemory = createRefuseFromMemory(parts, options.entrance);
  const decidePurchase = createDecidePurchase(parts, options);
  const { refuse, refuseOrNote } = createAnswer(parts);

  function goOn(visit: Visit, known: Known, answerOrder: (entered: Entered) => unknown) {
    if ('stopped' in known) return void sendProblem(visit.reply, known.stopped);
    // Most of a million shoppers get this answer, so it costs no id, no promise and no query.
    if (known.refusal && visit.key === undefined) return refuse(visit, known, known.refusal);
    const orderId = orderIdOf(visit.shopperId, visit.key);
    visit.orderId = orderId;
    decidePurchase({ visit, orderId }, known, decided => {
      visit.decidedAtMs = performance.now();
      visit.request.decision = visit;
      try {
        const granted = refuseOrNote(visit, known, decided);
        if (granted) answerOrder({ visit, granted, product: known.offer.product, orderId });
      } catch (error) {
        // The other requests of the batch still wait for their answers.
        visit.reply.send(error);
      }
    });
  }

  return (request, body, reply, answerOrder) => {
    const visit = visitOf(parts.identity, request, body, reply);
    const known = refuseFromMemory(visit);
    if (known instanceof Promise)
      bySending(
        reply,
        known.then(later => goOn(visit, later, answerOrder)),
      );
    else goOn(visit, known, answerOrder);
  };
}

/** Step three of a purchase: record the attempt, and answer a refusal. The route answers what was granted. */
function createAnswer({ attempts, gate }: Pick<EntranceParts, 'attempts' | 'gate'>) {
  function refuse(visit: Visit, known: Looked, outcome: Refused): void {
    // Not an attempt: it is only counted, and must cost nothing more.
    if (outcome !== 'rate-limited') attempts.record(attemptOf(visit, known.offer.sale, outcome));
    answerRefusal(visit.reply, outcome, visit.orderId);
  }

  /** @returns what was granted; undefined if it has answered a refusal. */
  function refuseOrNote(visit: Visit, known: Looked, decided: Decided): Granted | undefined {
    const { offer, refusal } = known;
    const { sale } = offer;
    // The limit does not apply to an order that was made before the limit was reached.
    if (refusal === 'rate-limited' && decided.outcome !== 'rate-limited')
      visit.reply.removeHeader('retry-after');
    if (sale && !refusal && decided.outcome === 'limit-reached')
      gate.limitReached(sale.saleId, visit.shopperId);
    if (!('order' in decided)) return void refuse(visit, known, decided.outcome);
    // The ledger writes the attempt of a new order in the transaction that makes it.
    if (decided.outcome === 'replayed') attempts.record(attemptOf(visit, sale, 'replayed'));
    return decided;
  }

  return { refuse, refuseOrNote };
}

/** @param sale the sale that counts now, if there is one. */
export function attemptOf(
  { body, shopperId, quantity, receivedAtMs, orderId }: Visit,
  sale: { saleId: number } | undefined,
  outcome: string,
): Attempt {
  const saleId = sale?.saleId ?? null;
  return { productId: body.productId, saleId, orderId, shopperId, quantity, receivedAtMs, outcome };
}
