import type { FastifyReply, FastifyRequest } from 'fastify';
import type { SaleRoom } from '../../admission/sale-room.js';
import type { Calendar } from '../../catalog/calendar.js';
import type { Attempts } from '../../ledger/attempts.js';
import type { StoredOrder } from '../../ledger/orders.js';
import type { OrderEvent, Settlement } from '../../ledger/settle.js';
import type { BatchQueue } from '../../orders/batch-queue.js';
import type { CheckoutCodes } from '../../orders/checkout-code.js';
import { orderIdOf } from '../../orders/order-id.js';
import type { Pay } from '../../orders/pay.js';
import type { ReadOrder } from '../../orders/replay.js';
import type { Undecided } from '../../orders/undecided.js';
import type { Payments } from '../../payments/resilient.js';
import { ProblemError, sendProblem } from '../answers/send-problem.js';
import { type Identity, shopperOf } from '../identity/identity.js';
import type { AdmitRedemption } from './admit.js';
import { answerByStatus, answerEnded } from './answer-order.js';
import { headerOf } from './visit.js';

export type RedeemParts = {
  identity: Identity;
  calendar: Calendar;
  readOrder: ReadOrder;
  codes: CheckoutCodes;
  settlements: BatchQueue<OrderEvent, Settlement>;
  saleRoom: SaleRoom;
  pay: Pay;
  payments: Pick<Payments, 'needsMethod'>;
  admitRedemption: AdmitRedemption;
  attempts: Attempts;
};

type RedeemBody = { code: string; userId?: string | undefined; paymentMethod?: string | undefined };

/** Pays for and confirms what a checkout reserved, for the shopper who reserved it. */
export type Redeem = (
  request: FastifyRequest,
  body: RedeemBody,
  reply: FastifyReply,
) => Promise<FastifyReply>;

export function createRedeem(parts: RedeemParts): Redeem {
  const { identity, calendar, readOrder, codes, payments, admitRedemption, attempts, saleRoom } = parts;
  const present = createPresent(parts);

  /** @throws ProblemError code-not-found: the code is forged, another shopper's, or its order does not exist. */
  async function findOrder(code: string, shopperId: string): Promise<StoredOrder> {
    const orderId = codes.orderIdOf(code);
    const order = orderId === undefined ? undefined : await readOrder(orderId, shopperId);
    if (!order) throw new ProblemError('code-not-found');
    return order;
  }

  return async (request, { code, userId, paymentMethod = null }, reply) => {
    const receivedAtMs = performance.now();
    const caller = identity.callerOf(request);
    const shopperId = shopperOf(caller, request, userId);
    const stored = await findOrder(code, shopperId);
    // An order that has ended is answered to every caller, and causes no call to the provider.
    if (stored.status === 'RESERVED') {
      const barred = await admitRedemption(request, reply, caller, shopperId);
      if (barred) return sendProblem(reply, barred);
      if (stored.isToBePaid && payments.needsMethod && paymentMethod === null) {
        return sendProblem(reply, 'payment-method-required');
      }
    }
    const { orderId, saleId, productId, quantity } = stored;
    const offer = await calendar.offerOf(productId);
    if (!offer) throw new ProblemError('code-not-found');

    // Without a key from the caller, this try still needs its own, in case it has to be sent again.
    const key = orderIdOf(shopperId, headerOf(request, 'idempotency-key'));
    if (saleRoom.refuses(saleId, true)) return sendProblem(reply, 'overloaded');
    const event = { event: 'redeem', orderId, shopperId, key, paymentMethod, span: request.span } as const;
    const final = await present(saleId, event, presentationsMax);
    const refusal = 'order' in final ? refusalOf[final.outcome] : final.outcome;
    if (refusal) {
      attempts.record({ saleId, productId, shopperId, orderId, quantity, receivedAtMs, outcome: refusal });
    }
    if (!('order' in final)) return answerUndecided(reply, final.outcome, orderId);
    const { order, remaining, outcome } = final;
    const slug = refusalOf[outcome];
    if (slug === 'order-ended') return answerEnded(reply, orderId, order);
    if (slug) return sendProblem(reply, slug, undefined, { orderId });
    if (outcome === 'replayed') reply.header('idempotency-replayed', 'true');
    return answerByStatus(reply, { orderId, product: offer.product, order, remaining });
  };
}

type Presented = Settlement | Undecided;

/**
 * Presents a code, and pays if the settlement requires it. Another request may pay for the same code at the same
 * moment. If that payment ends before this request can join it, the code is presented once more: by then it is used, or
 * still unpaid.
 */
function createPresent({ settlements, pay }: Pick<RedeemParts, 'settlements' | 'pay'>) {
  return async function present(saleId: number, event: OrderEvent, triesMax: number): Promise<Presented> {
    const settled = await settlements.join(saleId, event);
    if (settled.outcome !== 'pay' || settled.paymentId === null) return settled;
    const paid = await pay.chargeById(settled.paymentId, event.span);
    if (paid.outcome === 'over' && triesMax > 1) return present(saleId, event, triesMax - 1);
    return paid.outcome === 'over' || paid.outcome === 'pending' ? settled : wordOf(paid);
  };
}

// If this request just missed two payments of others, it answers that the payment is pending; the order shows the
// outcome.
const presentationsMax = 2;

/** The provider's answer. If another request settled it first, the order shows what the answer was. */
function wordOf(paid: Settlement): Settlement {
  if (!('order' in paid)) return paid;
  if (paid.order.status === 'RESERVED') return { ...paid, outcome: 'declined' };
  return paid.order.status === 'CONFIRMED' ? { ...paid, outcome: 'confirmed' } : paid;
}

export type RedeemRefusal =
  | 'code-used'
  | 'code-expired'
  | 'order-ended'
  | 'decline-limit-reached'
  | 'payment-declined';

const refusalOf: Partial<Record<Settlement['outcome'], RedeemRefusal>> = {
  'code-used': 'code-used',
  'code-expired': 'code-expired',
  'order-ended': 'order-ended',
  'decline-limit-reached': 'decline-limit-reached',
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
