import { z } from 'zod';
import { postponePayment, readPayment } from '../../ledger/payments.js';
import type { OrderEvent, Settlement } from '../../ledger/settle.js';
import type { DecisionQueue } from '../../orders/decide.js';
import { isUndecided } from '../../orders/lanes.js';
import { PaymentError } from '../../payments/provider.js';
import type { Payments } from '../../payments/resilient.js';
import type { Pool } from '../../platform/postgres.js';
import { ProblemError, sendProblem } from '../problem.js';
import { problemResponses } from '../schemas.js';
import type { App } from '../server.js';

export type WebhookParts = {
  pool: Pool;
  payments: Payments;
  settlements: DecisionQueue<OrderEvent, Settlement>;
};

const schema = {
  summary: 'What the payment provider has to say, signed by it',
  tags: ['operations'],
  response: { 200: z.object({ received: z.literal(true) }), ...problemResponses },
};

/**
 * POST /api/webhooks/payments. The signature covers the bytes as they came, so the body is not parsed before it is
 * checked. A webhook is a hint: it may come five times, out of order or never. A capture of the amount that was asked for
 * is settled at once; whatever else it says has the reconciler ask the provider now.
 */
export function registerWebhooks(app: App, { pool, payments, settlements }: WebhookParts): void {
  void app.register(async scope => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

    scope.post('/api/webhooks/payments', { schema }, async (request, reply) => {
      const event = readEvent(payments, request.body, request.headers);
      const payment = event && (await readPayment(pool, event.paymentId));
      if (!payment || !event) return reply.send({ received: true });
      const { saleId, orderId, paymentId, amountMinor } = payment;
      const { charge } = event;
      if (charge.status !== 'captured' || charge.amountMinor !== amountMinor) {
        await postponePayment(pool, paymentId, 0);
        return reply.send({ received: true });
      }
      const { reference } = charge;
      const captured = { event: 'captured', orderId, paymentId, amountMinor, reference } as const;
      const settled = await settlements.join(saleId, captured);
      // The provider sends it again.
      return isUndecided(settled) ? sendProblem(reply, 'unavailable') : reply.send({ received: true });
    });
  });
}

function readEvent(payments: Payments, body: unknown, headers: Parameters<Payments['readWebhook']>[1]) {
  try {
    return payments.readWebhook(Buffer.isBuffer(body) ? body : Buffer.alloc(0), headers);
  } catch (error) {
    if (error instanceof PaymentError && error.code === 'WEBHOOK_REFUSED') {
      throw new ProblemError('not-authenticated', error.message);
    }
    throw error;
  }
}
