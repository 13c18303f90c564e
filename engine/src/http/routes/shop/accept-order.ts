import { z } from 'zod';
import { slugs } from '../../answers/problem-slugs.js';
import { buyBodySchema, buyHeadersSchema, buyProblems, orderExample } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import type { Enter, Entered } from '../../buying/entrance.js';
import { withExample } from '../../description/with-example.js';
import type { App } from '../../server/http-server.js';

export type AcceptOrderParts = {
  enter: Enter;
  /** The same for an order that is made to fail, for tests; undefined unless faults are enabled. */
  enterToFail: Enter | undefined;
};

const accept = {
  operationId: 'order',
  summary: 'Queue an order, which a worker decides',
  description:
    'Answered as soon as the order is durable. `GET /api/orders/{id}` and its stream of events show its outcome.',
  callers: 'shoppers',
  problems: slugs(...buyProblems, 'payment-method-required'),
  tags: ['shop'],
  headers: buyHeadersSchema,
  body: withExample(
    buyBodySchema.extend({
      forceFail: z
        .boolean()
        .optional()
        .meta({ description: 'Makes the order fail for good, to rehearse it; only with FAULTS_ENABLED' }),
    }),
    { productId: 1, quantity: 2, userId: 'alice' },
  ),
  response: {
    202: withExample(z.object({ order_id: z.uuid(), status: z.string(), message: z.string() }), {
      order_id: orderExample.id,
      status: 'QUEUED',
      message: 'Your order is in the queue. Its URL shows the outcome.',
    }),
  },
} as const;

/** POST /api/orders: accepted now, decided by a worker. */
export function registerAcceptOrder(app: App, { enter, enterToFail }: AcceptOrderParts): void {
  app.post('/api/orders', { schema: accept }, (request, reply) => {
    const { forceFail = false, ...body } = request.body;
    const enterAs = forceFail ? enterToFail : enter;
    if (!enterAs) throw new ProblemError('invalid', 'forceFail: allowed only with FAULTS_ENABLED=true');
    enterAs(request, body, reply, answerOrder);
  });
}

function answerOrder({ visit, granted, orderId }: Entered): void {
  const { reply } = visit;
  if (granted.outcome === 'replayed') reply.header('idempotency-replayed', 'true');
  reply.code(202).header('location', `/api/orders/${orderId}`).send({
    order_id: orderId,
    status: granted.order.status,
    message: 'Your order is in the queue. Its URL shows the outcome.',
  });
}
