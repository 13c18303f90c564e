import { z } from 'zod';
import { type Payment, postponePayment, readPayment } from '../../../ledger/payments.js';
import type { OrderEvent, Settlement } from '../../../ledger/settle.js';
import type { BatchQueue } from '../../../orders/batch-queue.js';
import { isUndecided } from '../../../orders/undecided.js';
import { PaymentError } from '../../../payments/provider.js';
import type { Payments } from '../../../payments/resilient.js';
import type { Pool } from '../../../platform/postgres.js';
import { slugs } from '../../answers/problem-slugs.js';
import { ProblemError, sendProblem } from '../../answers/send-problem.js';
import { withExample } from '../../description/with-example.js';
import type { App } from '../../server/http-server.js';

export type WebhookParts = {
  pool: Pool;
  payments: Payments;
  settlements: BatchQueue<OrderEvent, Settlement>;
};

const schema = {
  operationId: 'receivePaymentEvent',
  summary: 'Receive a signed event from the payment provider',
  callers: 'payment provider',
  problems: slugs('not-authenticated'),
  tags: ['operations'],
  response: { 200: withExample(z.object({ received: z.literal(true) }), { received: true }) },
} as const;

/**
 * POST /api/webhooks/payments. The signature covers the raw bytes, so the body is not parsed before it is checked. A
 * webhook is a hint: it may come five times, out of order, or never. A capture of the full amount is settled at once,
 * even if the payment was reported as declined, because nothing else would ever mention that money. Any other event
 * about a pending payment makes the reconciler ask the provider now.
 */
export function registerWebhooks(app: App, { pool, payments, settlements }: WebhookParts): void {
  void app.register(async scope => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

    scope.post('/api/webhooks/payments', { schema }, async (request, reply) => {
      const event = readEvent(payments, request.body, request.headers);
      const payment = event && (await findPayment(pool, event.paymentId));
      if (!payment || !event || isMoneyKnown[payment.status]) return reply.send({ received: true });
      const { saleId, orderId, paymentId, amountMinor, currency } = payment;
      const { charge } = event;
      const isWhole =
        charge.status === 'captured' && charge.amountMinor === amountMinor && charge.currency === currency;
      if (!isWhole) {
        if (payment.status === 'PENDING') await postponePayment(pool, paymentId, 0);
        return reply.send({ received: true });
      }
      const { reference } = charge;
      const captured = { event: 'captured', orderId, paymentId, amountMinor, currency, reference } as const;
      const settled = await settlements.join(saleId, captured);
      // The provider will redeliver it.
      return isUndecided(settled) ? sendProblem(reply, 'unavailable') : reply.send({ received: true });
    });
  });
}

// Webhooks about captured money must not take the sale's lock each time. For a refund, the operator decides, not the
// webhooks.
const isMoneyKnown: Partial<Record<Payment['status'], true>> = {
  CAPTURED: true,
  REFUND_DUE: true,
  REFUNDED: true,
};

// Other users of the same provider account have their own ids for payments.
async function findPayment(pool: Pool, paymentId: string): Promise<Payment | undefined> {
  return z.uuid().safeParse(paymentId).success ? readPayment(pool, paymentId) : undefined;
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
