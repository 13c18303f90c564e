import type { FastifyReply } from 'fastify';
import type { Product } from '../../catalog/products.js';
import type { OrderRecord } from '../../ledger/order-record.js';
import { sendProblem } from '../answers/send-problem.js';
import { orderView } from '../answers/views.js';

export type AnsweredOrder = { orderId: string; product: Product; order: OrderRecord; remaining: number };

/** Answers a shopper who pays by the state of the order: bought, still being paid, or ended. */
export function answerByStatus(reply: FastifyReply, answered: AnsweredOrder): FastifyReply {
  const { orderId, product, order, remaining } = answered;
  switch (order.status) {
    case 'CONFIRMED':
      return reply.send({
        success: true,
        message: 'Purchase confirmed.',
        order: orderView(orderId, product, order, remaining),
      });
    case 'RESERVED':
    case 'QUEUED':
      return reply
        .code(202)
        .header('location', `/api/orders/${orderId}`)
        .send({
          success: true,
          message: 'Your units are held; the payment is still pending.',
          order: orderView(orderId, product, order, remaining),
        });
    default:
      return answerEnded(reply, orderId, order);
  }
}

/** Answers for an order that has ended; says with which status, and why. */
export function answerEnded(reply: FastifyReply, orderId: string, order: OrderRecord): FastifyReply {
  const { status: orderStatus, reason } = order;
  const slug = reason === 'payment-declined' ? 'payment-declined' : 'order-ended';
  return sendProblem(reply, slug, undefined, { orderId, orderStatus, reason });
}
