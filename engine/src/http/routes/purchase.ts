import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Gate, GateRefusal } from '../../admission/gate.js';
import type { Calendar } from '../../catalog/calendar.js';
import type { Product } from '../../catalog/products.js';
import type { Sale } from '../../catalog/sales.js';
import type { Attempts } from '../../ledger/attempts.js';
import type { PurchaseRequest } from '../../ledger/decide.js';
import type { DecisionQueue } from '../../orders/decide.js';
import type { DecisionOutcome } from '../../orders/lanes.js';
import { orderIdOf } from '../../orders/order-id.js';
import type { FindReplay } from '../../orders/replay.js';
import type { Faults } from '../../platform/faults.js';
import { type Identity, shopperOf } from '../identity.js';
import { type ProblemSlug, sendProblem } from '../problem.js';
import {
  headerUserIdSchema,
  idempotencyKeySchema,
  idSchema,
  orderSchema,
  problemResponses,
  quantitySchema,
  shopperIdSchema,
} from '../schemas.js';
import type { App } from '../server.js';
import { orderView } from '../views.js';

export type PurchaseParts = {
  identity: Identity;
  calendar: Calendar;
  gate: Gate;
  decisions: DecisionQueue;
  findReplay: FindReplay;
  attempts: Attempts;
  faults: Faults;
};

// The gate is advice, and advice that comes later than this is not waited for.
const gatePatienceMs = 50;

const bodySchema = z.strictObject({
  productId: idSchema,
  quantity: quantitySchema.default(1),
  userId: shopperIdSchema.optional().meta({ description: 'The shopper; counts with the API key alone' }),
});

const schema = {
  summary: 'Buy: decided and durable when answered',
  tags: ['shop'],
  headers: z.object({
    'idempotency-key': idempotencyKeySchema.optional(),
    'x-user-id': headerUserIdSchema.optional(),
  }),
  body: bodySchema,
  response: {
    200: z.object({ success: z.literal(true), message: z.string(), order: orderSchema }),
    ...problemResponses,
  },
};

/** POST /api/purchase: the hot path. Parse and identify, ask the gate, join the sale's open batch, answer. */
export function registerPurchase(app: App, parts: PurchaseParts): void {
  const { identity, calendar, gate, decisions, findReplay, attempts, faults } = parts;

  app.post('/api/purchase', { schema }, async (request, reply) => {
    const receivedAtMs = performance.now();
    const { productId, quantity, userId } = request.body;
    const shopperId = shopperOf(identity.callerOf(request), userId ?? request.headers['x-user-id']);
    const key = request.headers['idempotency-key'];
    const offer = calendar.peek(productId) ?? (await calendar.offerOf(productId));
    if (!offer) return sendProblem(reply, 'product-not-found');

    const { product, sale } = offer;
    const trouble = faults.inject('gate', gatePatienceMs);
    const isGateDown = trouble !== undefined && (await hasFailed(trouble));
    const refusal = refusalOf(sale, quantity, key !== undefined, isGateDown);
    const attempt = { productId, saleId: sale?.saleId ?? null, shopperId, quantity, receivedAtMs };
    // What most of a million shoppers get: no id, no promise, no query.
    if (refusal && key === undefined) {
      attempts.record({ ...attempt, orderId: null, outcome: refusal });
      return sendProblem(reply, refusal);
    }
    const purchase = { orderId: orderIdOf(shopperId, key), shopperId, quantity, receivedAtMs };
    const decided = await (refusal || !sale
      ? replayOr(refusal ?? 'sale-not-open', purchase, product)
      : decisions.join(sale.saleId, purchase));
    if (decided.outcome !== 'confirmed')
      attempts.record({ ...attempt, orderId: purchase.orderId, outcome: decided.outcome });
    return answer(reply, decided, product, purchase.orderId);
  });

  // Without the gate everything goes to the ledger, which has the last word in any case.
  function refusalOf(sale: Sale | undefined, quantity: number, mayBeRetry: boolean, isGateDown: boolean) {
    if (!sale) return 'sale-not-open';
    return isGateDown ? undefined : gate.check(sale, quantity, mayBeRetry);
  }

  // A refusal from memory must not hide the order that the first try of this key has made.
  async function replayOr(
    refusal: GateRefusal,
    purchase: PurchaseRequest,
    product: Product,
  ): Promise<DecisionOutcome> {
    return (await findReplay(purchase, product.productId)) ?? { outcome: refusal };
  }
}

function hasFailed(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => false,
    () => true,
  );
}

const slugOf = {
  'sale-not-open': 'sale-not-open',
  'limit-reached': 'limit-reached',
  'sold-out': 'sold-out',
  'key-reused': 'idempotency-key-reused',
  overloaded: 'overloaded',
  undecided: 'undecided',
  unknown: 'outcome-unknown',
} as const satisfies Record<Exclude<DecisionOutcome['outcome'], 'confirmed' | 'replayed'>, ProblemSlug>;

function answer(
  reply: FastifyReply,
  decided: DecisionOutcome,
  product: Product,
  orderId: string,
): FastifyReply {
  if (decided.outcome === 'unknown') return sendProblem(reply, slugOf.unknown, undefined, { orderId });
  if (!('order' in decided)) return sendProblem(reply, slugOf[decided.outcome]);
  if (decided.outcome === 'replayed') reply.header('idempotency-replayed', 'true');
  const order = orderView(orderId, product, decided.order, decided.remaining);
  return reply.send({ success: true, message: 'Purchase confirmed.', order });
}
