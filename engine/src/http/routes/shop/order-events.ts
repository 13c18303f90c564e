import { z } from 'zod';
import type { JournalStep } from '../../../ledger/journal.js';
import type { OrderFollower } from '../../../orders/follow-orders.js';
import { isEnd, type ReadLife } from '../../../orders/read-life.js';
import type { ReadOrder } from '../../../orders/replay.js';
import { slugs } from '../../answers/problem-slugs.js';
import { headerUserIdSchema } from '../../answers/schemas.js';
import { ProblemError, sendProblem } from '../../answers/send-problem.js';
import { type Identity, shopperOf } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';
import type { EventStream, EventStreams, StreamEvent } from '../../streams/event-stream.js';

export type OrderEventsParts = {
  identity: Identity;
  readOrder: ReadOrder;
  readLife: ReadLife;
  orderFollower: OrderFollower;
  eventStreams: EventStreams;
};

const schema = {
  summary: 'Follow one of my orders: server-sent events named "status", one for each change',
  problems: slugs('not-authenticated', 'order-not-found', 'too-many-streams', 'overloaded'),
  tags: ['shop'],
  headers: z.object({
    'x-user-id': headerUserIdSchema.optional(),
    'last-event-id': z
      .string()
      .regex(/^(0|[1-9]\d{0,4})$/, 'expected the id of an event of this order')
      .optional()
      .meta({ description: 'The last event seen: those after it are sent' }),
  }),
  params: z.object({ id: z.uuid('expected the id of an order') }),
  response: {
    200: { content: { 'text/event-stream': { schema: z.string() } } },
    204: z.null().meta({ description: 'The order has ended and all of it was seen' }),
  },
};

// A late payment or a refund often follows an end at once; after that the stream makes room for others.
const lingerMs = 1000;

/** The life of an order as it happens. A reader who comes back with Last-Event-ID misses nothing and sees nothing twice. */
export function registerOrderEvents(app: App, parts: OrderEventsParts): void {
  const { identity, readOrder, readLife, orderFollower, eventStreams } = parts;

  // No HEAD: it would hold a stream that nothing can be sent on.
  app.get('/api/orders/:id/events', { schema, exposeHeadRoute: false }, async (request, reply) => {
    const shopperId = shopperOf(identity.callerOf(request), request);
    const orderId = request.params.id.toLowerCase();
    const order = await readOrder(orderId, shopperId);
    if (!order) throw new ProblemError('order-not-found');
    const seenSeq = Number(request.headers['last-event-id'] ?? 0);
    const last = (await readLife(order)).at(-1);
    if (seenSeq > (last?.seq ?? 0)) throw new ProblemError('invalid', 'last-event-id: no such event yet');
    // Anything but 204 would have a browser connect again and again.
    if (last && seenSeq === last.seq && isEnd(last.to)) return reply.code(204).send(null);

    const stream = eventStreams.open(reply, shopperId);
    if (typeof stream === 'string') return sendProblem(reply, stream);
    stream.onClose(orderFollower.follow(orderId, order.saleId, seenSeq, createSendStep(stream)));
    return reply;
  });
}

function createSendStep(stream: EventStream): (step: JournalStep) => void {
  let ending: NodeJS.Timeout | undefined;
  stream.onClose(() => clearTimeout(ending));
  return step => {
    stream.send(eventOf(step));
    clearTimeout(ending);
    if (isEnd(step.to)) ending = setTimeout(stream.end, lingerMs).unref();
  };
}

function eventOf({ orderId, seq, from, to, reason, at }: JournalStep): StreamEvent {
  const data = { orderId, status: to, from, reason, at: at.toISOString() };
  return { id: String(seq), event: 'status', data: JSON.stringify(data) };
}
