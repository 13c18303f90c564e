import { z } from 'zod';
import type { Calendar } from '../../catalog/calendar.js';
import type { ReadOrder } from '../../orders/replay.js';
import { type Identity, shopperOf } from '../identity.js';
import { ProblemError } from '../problem.js';
import { headerUserIdSchema, orderSchema, problemResponses } from '../schemas.js';
import type { App } from '../server.js';
import { orderView } from '../views.js';

export type OrdersParts = { identity: Identity; calendar: Calendar; readOrder: ReadOrder };

const schema = {
  summary: 'One of my orders',
  tags: ['shop'],
  headers: z.object({ 'x-user-id': headerUserIdSchema.optional() }),
  params: z.object({ id: z.uuid('expected the id of an order') }),
  response: { 200: orderSchema, ...problemResponses },
};

/** A shopper's own orders; another's is as unknown as one that never was. */
export function registerOrders(app: App, { identity, calendar, readOrder }: OrdersParts): void {
  app.get('/api/orders/:id', { schema }, async request => {
    const shopperId = shopperOf(identity.callerOf(request), request.headers['x-user-id']);
    const orderId = request.params.id.toLowerCase();
    const order = await readOrder(orderId);
    const offer = order && (await calendar.offerOf(order.productId));
    if (!offer || order.shopperId !== shopperId) throw new ProblemError('order-not-found');
    return orderView(orderId, offer.product, order, order.remaining);
  });
}
