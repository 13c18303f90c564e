import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Calendar } from '../../catalog/calendar.js';
import type { Acceptance } from '../../ledger/accept.js';
import { listOrdersOf } from '../../ledger/orders.js';
import type { OrderEvent, Settlement } from '../../ledger/settle.js';
import type { OrderRequest } from '../../orders/accept.js';
import type { DecisionQueue } from '../../orders/decide.js';
import type { ReadOrder } from '../../orders/replay.js';
import type { DatabaseClock } from '../../platform/database-clock.js';
import type { Queryable } from '../../platform/postgres.js';
import { bySending } from '../answer-by-sending.js';
import { answerEnded } from '../answer-order.js';
import { createEntrance, type EntranceParts } from '../entrance.js';
import { shopperOf } from '../identity/identity.js';
import { ProblemError, sendProblem } from '../problem.js';
import { slugs } from '../problems.js';
import {
  buyBodySchema,
  buyHeadersSchema,
  buyProblems,
  headerUserIdSchema,
  idParamSchema,
  orderSchema,
  pageLimitSchema,
} from '../schemas.js';
import type { App } from '../server.js';
import { orderView } from '../views.js';

export type OrdersParts = EntranceParts & {
  calendar: Calendar;
  clock: DatabaseClock;
  pool: Queryable;
  readOrder: ReadOrder;
  acceptances: DecisionQueue<OrderRequest, Acceptance>;
  settlements: DecisionQueue<OrderEvent, Settlement>;
  /** Whether a caller may ask for an order that fails; for tests of that road. */
  mayForceFail: boolean;
};

const params = z.object({ id: z.uuid('expected the id of an order') });
const headers = z.object({ 'x-user-id': headerUserIdSchema.optional() });
const tags = ['shop'];

const read = {
  summary: 'One of my orders',
  problems: slugs('not-authenticated', 'order-not-found'),
  tags,
  headers,
  params,
  response: { 200: orderSchema },
};

const list = {
  summary: 'My orders of the last seven days, newest first',
  problems: slugs('not-authenticated'),
  tags,
  headers,
  querystring: z.strictObject({ productId: idParamSchema.optional(), limit: pageLimitSchema(100) }),
  response: { 200: z.object({ orders: z.array(orderSchema) }) },
};

// As for attempts, which lead to the orders: each day is a partition to plan for.
const listedWindowMs = 7 * 86_400_000;

const cancel = {
  summary: 'Cancel a hold, or an order that is still queued',
  problems: slugs(
    'not-authenticated',
    'order-not-found',
    'order-confirmed',
    'order-ended',
    'overloaded',
    'undecided',
    'outcome-unknown',
  ),
  tags,
  headers,
  params,
  response: { 200: orderSchema },
};

const accept = {
  summary: 'Order: accepted now, decided by a worker',
  problems: slugs(...buyProblems, 'payment-method-required'),
  tags,
  headers: buyHeadersSchema,
  body: buyBodySchema.extend({
    forceFail: z
      .boolean()
      .optional()
      .meta({ description: 'Fails the order for good; for tests of that road' }),
  }),
  response: {
    202: z.object({ order_id: z.uuid(), status: z.string(), message: z.string() }),
  },
};

/** A shopper's own orders; another's is as unknown as one that never was. */
export function registerOrders(app: App, parts: OrdersParts): void {
  const { identity, calendar, readOrder, settlements, saleRoom } = parts;

  async function findMine(id: string, shopperId: string) {
    const order = await readOrder(id.toLowerCase(), shopperId);
    const offer = order && (await calendar.offerOf(order.productId));
    if (!offer) throw new ProblemError('order-not-found');
    return { order, product: offer.product };
  }

  app.get('/api/orders/:id', { schema: read }, async request => {
    const shopperId = shopperOf(identity.callerOf(request), request);
    const { order, product } = await findMine(request.params.id, shopperId);
    return orderView(order.orderId, product, order, order.remaining);
  });

  app.delete('/api/orders/:id', { schema: cancel }, async (request, reply) => {
    const shopperId = shopperOf(identity.callerOf(request), request);
    const { order, product } = await findMine(request.params.id, shopperId);
    const { orderId, saleId } = order;
    if (saleRoom.refuses(saleId, true)) return sendProblem(reply, 'overloaded');
    const { span } = request;
    const settled = await settlements.join(saleId, { event: 'cancel', orderId, shopperId, span });
    if (!('order' in settled)) {
      const slug = settled.outcome === 'unknown' ? 'outcome-unknown' : settled.outcome;
      return sendProblem(reply, slug, undefined, { orderId });
    }
    if (settled.outcome === 'order-confirmed')
      return sendProblem(reply, 'order-confirmed', undefined, { orderId });
    if (settled.outcome === 'order-ended') return answerEnded(reply, orderId, settled.order);
    if (settled.outcome === 'replayed') reply.header('idempotency-replayed', 'true');
    return reply.send(orderView(orderId, product, settled.order, settled.remaining));
  });

  registerAccept(app, parts);
  registerList(app, parts);
}

function registerList(app: App, { identity, calendar, clock, pool }: OrdersParts): void {
  app.get('/api/orders', { schema: list }, async request => {
    const shopperId = shopperOf(identity.callerOf(request), request);
    const { productId, limit } = request.query;
    const from = new Date(clock.nowMs() - listedWindowMs);
    const stored = await listOrdersOf(pool, { shopperId, productId, from, limit });
    const offers = await Promise.all(stored.map(order => calendar.offerOf(order.productId)));
    const orders = stored.flatMap((order, position) => {
      const product = offers[position]?.product;
      return product ? [orderView(order.orderId, product, order, order.remaining)] : [];
    });
    return { orders };
  });
}

function registerAccept(app: App, parts: OrdersParts): void {
  const { acceptances } = parts;
  const enter = createEntrance(parts, {
    entrance: 'queued',
    join: acceptances.join,
  });
  const enterToFail = createEntrance(parts, {
    entrance: 'queued',
    join: (saleId, purchase, patience) =>
      acceptances.join(saleId, { ...purchase, forceFail: true }, patience),
  });

  app.post('/api/orders', { schema: accept }, (request, reply) =>
    bySending(reply, takeIntoQueue(request, request.body, reply)),
  );

  async function takeIntoQueue(
    request: FastifyRequest,
    { forceFail = false, ...body }: z.output<typeof accept.body>,
    reply: FastifyReply,
  ): Promise<void> {
    if (forceFail && !parts.mayForceFail) {
      throw new ProblemError('invalid', 'forceFail: expected only where FAULTS_ENABLED=true');
    }
    const entered = await (forceFail ? enterToFail : enter)(request, body, reply);
    if (!entered) return;
    const { granted, orderId } = entered;
    if (granted.outcome === 'replayed') reply.header('idempotency-replayed', 'true');
    reply.code(202).header('location', `/api/orders/${orderId}`).send({
      order_id: orderId,
      status: granted.order.status,
      message: 'Your order is in the queue. Its address says what becomes of it.',
    });
  }
}
