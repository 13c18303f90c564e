import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Attempts } from '../../../ledger/attempts.js';
import type { Pay } from '../../../orders/pay.js';
import { bySending } from '../../answers/answer-by-sending.js';
import { slugs } from '../../answers/problem-slugs.js';
import {
  boughtSchema,
  buyBodySchema,
  buyHeadersSchema,
  buyProblems,
  idSchema,
  orderExample,
  quantitySchema,
  textSchema,
} from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { type AnsweredOrder, answerByStatus } from '../../buying/answer-order.js';
import { attemptOf, type Enter, type Entered } from '../../buying/entrance.js';
import { isPlainPurchase } from '../../buying/plain-purchase.js';
import type { Redeem } from '../../buying/redeem.js';
import type { Visit } from '../../buying/visit.js';
import { withExample } from '../../description/with-example.js';
import type { App } from '../../server/http-server.js';
import { plainBodies } from '../../server/validate.js';

export type PurchaseParts = { enter: Enter; pay: Pay; redeem: Redeem; attempts: Attempts };

export const purchaseBodySchema = withExample(
  buyBodySchema.extend({
    productId: idSchema.optional(),
    quantity: quantitySchema.optional(),
    code: textSchema(1, 100)
      .optional()
      .meta({ description: 'The code of a checkout, in place of productId' }),
  }),
  { productId: 1, quantity: 2, userId: 'alice', paymentMethod: 'pm_card_visa' },
).register(plainBodies, { isPlain: isPlainPurchase });

const schema = {
  operationId: 'purchase',
  summary: 'Buy now, or pay for a checkout by its code',
  description:
    'The purchase is decided and durable before the call returns. With `code` instead of `productId` it pays for and confirms what a checkout holds. 202 means that the units are held while the payment is pending.',
  callers: 'shoppers',
  problems: slugs(
    ...buyProblems,
    'code-not-found',
    'code-used',
    'code-expired',
    'order-ended',
    'payment-method-required',
    'payment-declined',
  ),
  tags: ['shop'],
  headers: buyHeadersSchema,
  body: purchaseBodySchema,
  response: {
    200: withExample(boughtSchema, { success: true, message: 'Purchase confirmed.', order: orderExample }),
    202: withExample(boughtSchema, {
      success: true,
      message: 'Your units are held; the payment is still pending.',
      order: { ...orderExample, status: 'RESERVED', expiresAt: '2026-11-20T12:15:00.000Z' },
    }),
  },
} as const;

type Body = z.output<typeof schema.body>;

/** POST /api/purchase: the hot path. Enter, join the sale's open batch, pay if the sale requires it, answer. */
export function registerPurchase(app: App, { enter, pay, redeem, attempts }: PurchaseParts): void {
  app.post('/api/purchase', { schema }, (request, reply) => {
    const { body } = request;
    const { code } = body;
    if (code !== undefined) return bySending(reply, payForCheckout(request, body, code, reply));
    if (!namesProduct(body)) throw new ProblemError('invalid', nothingToBuy);
    enter(request, body, reply, answerOrder);
  });

  function payForCheckout(request: FastifyRequest, body: Body, code: string, reply: FastifyReply) {
    refuseBesideCode(body);
    const { paymentMethod, userId } = body;
    return redeem(request, { code, paymentMethod, userId }, reply);
  }

  function answerOrder({ visit, granted, product, orderId }: Entered): void {
    const { reply } = visit;
    const { order } = granted;
    if (granted.outcome === 'replayed') reply.header('idempotency-replayed', 'true');
    const remaining = 'remaining' in granted ? granted.remaining : 0;
    const answered = { orderId, product, order, remaining };
    if (granted.outcome !== 'reserved' || granted.paymentId === null) answerByStatus(reply, answered);
    else bySending(reply, payFirst(visit, answered, granted.paymentId));
  }

  async function payFirst(visit: Visit, answered: AnsweredOrder, paymentId: string): Promise<void> {
    const { order, orderId } = answered;
    const { body, request, reply } = visit;
    const paid = await pay.charge({
      paymentId,
      saleId: order.saleId,
      orderId,
      amountMinor: order.totalMinor,
      currency: order.currency,
      method: body.paymentMethod ?? null,
      span: request.span,
    });
    if (paid.outcome === 'declined') attempts.record(attemptOf(visit, order, 'payment-declined'));
    answerByStatus(reply, { ...answered, order: 'order' in paid ? paid.order : order });
  }
}

function namesProduct(body: Body): body is Body & { productId: number } {
  return body.productId !== undefined;
}

const nothingToBuy = 'productId: expected a positive whole number, or a checkout code as code';

function refuseBesideCode({ code: _code, userId: _userId, paymentMethod: _method, ...others }: Body): void {
  if (Object.values(others).every(field => field === undefined)) return;
  throw new ProblemError('invalid', 'code: expected only userId and paymentMethod with it');
}
