import { z } from 'zod';
import type { SaleRoom } from '../../../admission/sale-room.js';
import type { Calendar } from '../../../catalog/calendar.js';
import { listOrdersOf } from '../../../ledger/orders.js';
import type { OrderEvent, Settlement } from '../../../ledger/settle.js';
import type { BatchQueue } from '../../../orders/batch-queue.js';
import type { ReadOrder } from '../../../orders/replay.js';
import type { DatabaseClock } from '../../../platform/database-clock.js';
import type { Queryable } from '../../../platform/postgres.js';
import { slugs } from '../../answers/problem-slugs.js';
import {
  headerUserIdSchema,
  idParamSchema,
  orderExample,
  orderSchema,
  pageLimitSchema,
} from '../../answers/schemas.js';
import { ProblemError, sendProblem } from '../../answers/send-problem.js';
import { orderView } from '../../answers/views.js';
import { answerEnded } from '../../buying/answer-order.js';
import { withExample } from '../../description/with-example.js';
import { type Identity, shopperOf } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type OrdersParts = {
  identity: Identity;
  calendar: Calendar;
  clock: DatabaseClock;
  pool: Queryable;
  readOrder: ReadOrder;
  settlements: BatchQueue<OrderEvent, Settlement>;
  saleRoom: SaleRoom;
};

const params = z.object({ id: z.uuid('expected the id of an order') });
const headers = z.object({ 'x-user-id': headerUserIdSchema.optional() });
const tags = ['shop'];

const read = {
  operationId: 'getOrder',
  summary: 'Get one of your orders',
  callers: 'shoppers',
  problems: slugs('not-authenticated', 'order-not-found'),
  tags,
  headers,
  params,
  response: { 200: withExample(orderSchema, orderExample) },
} as const;

const list = {
  operationId: 'listOrders',
  summary: 'List your orders of the last seven days, newest first',
  callers: 'shoppers',
  problems: slugs('not-authenticated'),
  tags,
  headers,
  querystring: z.strictObject({ productId: idParamSchema.optional(), limit: pageLimitSchema(100) }),
  response: {
    200: withExample(z.object({ orders: z.array(orderSchema) }), { orders: [orderExample] }),
  },
} as const;

// The same as for attempts: each day is one more partition to plan for.
const listedWindowMs = 7 * 86_400_000;

const cancel = {
  operationId: 'cancel',
  summary: 'Cancel a hold, or an order that is still queued',
  callers: 'shoppers',
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
  response: {
    200: withExample(orderSchema, {
      ...orderExample,
      status: 'CANCELLED',
      reason: 'cancelled-by-shopper',
      expiresAt: '2026-11-20T12:15:00.000Z',
    }),
  },
} as const;

/** A shopper's own orders. Another shopper's order is answered like one that does not exist. */
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
