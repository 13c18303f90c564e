import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Gate } from '../../admission/gate/gate.js';
import type { Product } from '../../catalog/products.js';
import type { Attempt } from '../../ledger/attempt-buffer.js';
import type { Attempts } from '../../ledger/attempts.js';
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
import { createRefuseFromMemory, type Looked, type MemoryParts } from './refuse-from-memory.js';
import { type BuyBody, type Visit, visitOf } from './visit.js';

export type EntranceParts = MemoryParts &
  DecidePurchaseParts & { identity: Identity; gate: Pick<Gate, 'limitReached'>; attempts: Attempts };

/** A request with an order, new or from an earlier try of the same intent. */
export type Entered = {
  granted: Granted;
  product: Product;
  orderId: string;
  attempt: Omit<Attempt, 'outcome'>;
};

/** @returns undefined if the request was refused; the refusal is then already answered. */
export type Enter = (
  request: FastifyRequest,
  body: BuyBody,
  reply: FastifyReply,
) => Promise<Entered | undefined>;

/** What the three ways to buy share: refuse from memory, decide, answer. */
export function createEntrance(parts: EntranceParts, options: DecidePurchaseOptions): Enter {
  const refuseFromMemory = createRefuseFromMemory(parts, options.entrance);
  const decidePurchase = createDecidePurchase(parts, options);
  const { refuse, answer } = createAnswer(parts);

  return async (request, body, reply) => {
    const visit = visitOf(parts.identity, request, body);
    const memory = refuseFromMemory(visit, reply);
    const known = memory instanceof Promise ? await memory : memory;
    if ('stopped' in known) return void sendProblem(reply, known.stopped);
    // Most of a million shoppers get this answer, so it costs no id, no promise and no query.
    if (known.refusal && visit.key === undefined) {
      return refuse(reply, attemptOf(visit, known, null), known.refusal);
    }
    const { orderId, decided } = await decidePurchase(visit, known);
    return answer(reply, visit, known, { orderId, decided });
  };
}

/** Step three of a purchase: record the attempt, and answer a refusal. The route answers what was granted. */
function createAnswer({ attempts, gate }: Pick<EntranceParts, 'attempts' | 'gate'>) {
  function refuse(reply: FastifyReply, attempt: Omit<Attempt, 'outcome'>, outcome: Refused): undefined {
    // Not an attempt: it is only counted, and must cost nothing more.
    if (outcome !== 'rate-limited') attempts.record({ ...attempt, outcome });
    answerRefusal(reply, outcome, attempt.orderId);
  }

  function answer(
    reply: FastifyReply,
    visit: Visit,
    known: Looked,
    { orderId, decided }: { orderId: string; decided: Decided },
  ): Entered | undefined {
    const { product, sale, refusal } = known;
    const attempt = attemptOf(visit, known, orderId);
    // The limit does not apply to an order that was made before the limit was reached.
    if (refusal === 'rate-limited' && decided.outcome !== 'rate-limited') reply.removeHeader('retry-after');
    if (sale && !refusal && decided.outcome === 'limit-reached')
      gate.limitReached(sale.saleId, visit.shopperId);
    if (!('order' in decided)) return refuse(reply, attempt, decided.outcome);
    // The ledger writes the attempt of a new order in the transaction that makes it.
    if (decided.outcome === 'replayed') attempts.record({ ...attempt, outcome: 'replayed' });
    return { granted: decided, product, orderId, attempt };
  }

  return { refuse, answer };
}

function attemptOf(
  { body, shopperId, quantity, receivedAtMs }: Visit,
  { sale }: Looked,
  orderId: string | null,
): Omit<Attempt, 'outcome'> {
  return {
    productId: body.productId,
    saleId: sale?.saleId ?? null,
    orderId,
    shopperId,
    quantity,
    receivedAtMs,
  };
}
