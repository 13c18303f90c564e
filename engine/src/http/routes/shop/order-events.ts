import { z } from 'zod';
import type { JournalStep } from '../../../ledger/journal.js';
import type { OrderFollower } from '../../../orders/follow-orders.js';
import { isEnd, type ReadLife } from '../../../orders/read-life.js';
import type { ReadOrder } from '../../../orders/replay.js';
import { slugs } from '../../answers/problem-slugs.js';
import { headerUserIdSchema } from '../../answers/schemas.js';
import { ProblemError, sendProblem } from '../../answers/send-problem.js';
import { withExample } from '../../description/with-example.js';
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

const streamExample = `id: 1
event: status
data: {"orderId":"29f28461-0ee4-88ee-afa9-bb9b284bc448","status":"CONFIRMED","from":"NEW","reason":null,"at":"2026-11-20T12:00:00.000Z"}

`;

const schema = {
  operationId: 'followOrder',
  summary: 'Follow one of your orders as server-sent events',
  description:
    'Each change of status is an event named `status`. A new connection gets the history of the order first. A connection with `Last-Event-ID` gets what came after that event.',
  callers: 'shoppers',
  problems: slugs('not-authenticated', 'order-not-found', 'too-many-streams', 'overloaded'),
  tags: ['shop'],
  headers: z.object({
    'x-user-id': headerUserIdSchema.optional(),
    'last-event-id': z
      .string()
      .regex(/^(0|[1-9]\d{0,4})$/, 'expected the id of an event of this order')
      .optional()
      .meta({ description: 'The id of the last event received; the stream continues after it' }),
  }),
  params: z.object({ id: z.uuid('expected the id of an order') }),
  response: {
    200: {
      description: 'The stream. It ends a second after the order ends.',
      content: { 'text/event-stream': { schema: withExample(z.string(), streamExample) } },
    },
    204: z.null().meta({ description: 'The order has ended, and the caller has received every event' }),
  },
} as const;

// A late payment or a refund often comes right after an order ends. After this time the stream makes room for others.
const lingerMs = 1000;

/**
 * An order's changes of status as they happen. A reader that reconnects with Last-Event-ID gets each event exactly
 * once.
 */
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
    // With any answer but 204 a browser would reconnect again and again.
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
