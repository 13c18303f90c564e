import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { CheckoutCodes } from '../../../orders/checkout-code.js';
import { slugs } from '../../answers/problem-slugs.js';
import {
  buyBodySchema,
  buyHeadersSchema,
  buyProblems,
  orderExample,
  orderSchema,
} from '../../answers/schemas.js';
import { sendProblem } from '../../answers/send-problem.js';
import { orderView } from '../../answers/views.js';
import { answerEnded } from '../../buying/answer-order.js';
import type { Enter, Entered } from '../../buying/entrance.js';
import { withExample } from '../../description/with-example.js';
import type { App } from '../../server/http-server.js';

export type CheckoutParts = { enter: Enter; codes: CheckoutCodes };

const schema = {
  operationId: 'checkout',
  summary: 'Hold units until they are paid for, or the hold expires',
  description: 'Returns a code. `POST /api/purchase` with that code pays for what is held.',
  callers: 'shoppers',
  problems: slugs(...buyProblems, 'code-expired', 'order-ended'),
  tags: ['shop'],
  headers: buyHeadersSchema,
  body: withExample(buyBodySchema.omit({ paymentMethod: true }), {
    productId: 1,
    quantity: 2,
    userId: 'alice',
  }),
  response: {
    201: withExample(
      z.object({
        success: z.literal(true),
        message: z.string(),
        code: z
          .string()
          .meta({ description: 'Only the same shopper can redeem it, with POST /api/purchase' }),
        expiresAt: z.iso.datetime(),
        order: orderSchema,
      }),
      {
        success: true,
        message: 'Your units are held until the code expires.',
        code: 'KfKEYQ7kiO6vqbubKEvESO3X9kQ2',
        expiresAt: '2026-11-20T12:15:00.000Z',
        order: {
          ...orderExample,
          remainingStock: 9996,
          status: 'RESERVED',
          expiresAt: '2026-11-20T12:15:00.000Z',
        },
      },
    ),
  },
} as const;

/** POST /api/checkout: decided like a purchase, but only reserved. */
export function registerCheckout(app: App, { enter, codes }: CheckoutParts): void {
  app.post('/api/checkout', { schema }, (request, reply) => {
    enter(request, request.body, reply, answerOrder);
  });

  function answerOrder({ visit, granted, product, orderId }: Entered): FastifyReply {
    const { reply } = visit;
    const { order } = granted;
    if (order.status === 'EXPIRED') return sendProblem(reply, 'code-expired', undefined, { orderId });
    if (order.status !== 'RESERVED' && order.status !== 'CONFIRMED')
      return answerEnded(reply, orderId, order);
    if (granted.outcome === 'replayed') reply.header('idempotency-replayed', 'true');
    return reply
      .code(201)
      .header('location', `/api/orders/${orderId}`)
      .send({
        success: true,
        message: 'Your units are held until the code expires.',
        code: codes.codeOf(orderId),
        expiresAt: (order.expiresAt ?? order.createdAt).toISOString(),
        order: orderView(orderId, product, order, 'remaining' in granted ? granted.remaining : 0),
      });
  }
}
