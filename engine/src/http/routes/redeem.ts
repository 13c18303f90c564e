import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Calendar } from '../../catalog/calendar.js';
import type { Attempts } from '../../ledger/attempts.js';
import type { StoredOrder } from '../../ledger/orders.js';
import type { OrderEvent, Settlement } from '../../ledger/settle.js';
import type { CheckoutCodes } from '../../orders/checkout-code.js';
import type { DecisionQueue } from '../../orders/decide.js';
import type { Undecided } from '../../orders/lanes.js';
import { orderIdOf } from '../../orders/order-id.js';
import type { Pay } from '../../orders/pay.js';
import type { ReadOrder } from '../../orders/replay.js';
import { answerByStatus, answerEnded } from '../answer-order.js';
import { headerOf } from '../entrance.js';
import { type Identity, shopperOf } from '../identity.js';
import { ProblemError, sendProblem } from '../problem.js';

export type RedeemParts = {
  identity: Identity;
  calendar: Calendar;
  readOrder: ReadOrder;
  codes: CheckoutCodes;
  settlements: DecisionQueue<OrderEvent, Settlement>;
  pay: Pay;
  attempts: Attempts;
};

type RedeemBody = { code: string; userId?: string | undefined; paymentMethod?: string | undefined };

/** Pays and confirms what a checkout has reserved, for the shopper who reserved it. */
export type Redeem = (
  request: FastifyRequest,
  body: RedeemBody,
  reply: FastifyReply,
) => Promise<FastifyReply>;

export function createRedeem(parts: RedeemParts): Redeem {
  const { identity, calendar, readOrder, codes, settlements, pay, attempts } = parts;

  /** @throws ProblemError code-not-found: forged, somebody else's, or of an order that is not there. */
  async function findOrder(code: string, shopperId: string): Promise<StoredOrder> {
    const orderId = codes.orderIdOf(code);
    const order = orderId === undefined ? undefined : await readOrder(orderId);
    if (!order || order.shopperId !== shopperId) throw new ProblemError('code-not-found');
    return order;
  }

  async function payFor(settled: Settlement): Promise<Settlement> {
    if (settled.outcome !== 'pay' || settled.paymentId === null) return settled;
    const paid = await pay.chargeById(settled.paymentId);
    return paid.outcome === 'pending' ? settled : paid;
  }

  return async (request, { code, userId, paymentMethod = null }, reply) => {
    const receivedAtMs = performance.now();
    const shopperId = shopperOf(identity.callerOf(request), userId ?? headerOf(request, 'x-user-id'));
    const stored = await findOrder(code, shopperId);
    const { orderId, saleId, productId, quantity } = stored;
    const offer = await calendar.offerOf(productId);
    if (!offer) throw new ProblemError('code-not-found');

    // Without a key of the caller's this try is told from others all the same, when it has to be sent again.
    const key = orderIdOf(shopperId, headerOf(request, 'idempotency-key'));
    const event = { event: 'redeem', orderId, shopperId, key, paymentMethod } as const;
    const settled = await settlements.join(saleId, event);
    const final = 'order' in settled ? await payFor(settled) : settled;
    const refusal = 'order' in final ? refusalOf[final.outcome] : final.outcome;
    if (refusal) {
      attempts.record({ saleId, productId, shopperId, orderId, quantity, receivedAtMs, outcome: refusal });
    }
    if (!('order' in final)) return answerUndecided(reply, final.outcome, orderId);
    const { order, remaining, outcome } = final;
    const slug = refusalOf[outcome];
    if (slug === 'order-ended') return answerEnded(reply, orderId, order);
    if (slug) return sendProblem(reply, slug, undefined, { orderId });
    if (settled.outcome === 'replayed') reply.header('idempotency-replayed', 'true');
    return answerByStatus(reply, { orderId, product: offer.product, order, remaining });
  };
}

export type RedeemRefusal = 'code-used' | 'code-expired' | 'order-ended' | 'payment-declined';

const refusalOf: Partial<Record<Settlement['outcome'], RedeemRefusal>> = {
  'code-used': 'code-used',
  'code-expired': 'code-expired',
  'order-ended': 'order-ended',
  declined: 'payment-declined',
};

function answerUndecided(
  reply: FastifyReply,
  outcome: Undecided['outcome'] | 'order-not-found',
  orderId: string,
): FastifyReply {
  if (outcome === 'unknown') return sendProblem(reply, 'outcome-unknown', undefined, { orderId });
  return sendProblem(reply, outcome === 'order-not-found' ? 'code-not-found' : outcome);
}
