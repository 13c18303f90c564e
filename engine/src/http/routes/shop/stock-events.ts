import { z } from 'zod';
import { slugs } from '../../answers/problem-slugs.js';
import { idParamSchema } from '../../answers/schemas.js';
import { ProblemError, sendProblem } from '../../answers/send-problem.js';
import { withExample } from '../../description/with-example.js';
import { addressKeyOf } from '../../limits/client-address.js';
import type { App } from '../../server/http-server.js';
import type { EventStreams } from '../../streams/event-stream.js';
import type { LookAtStock, StockBroadcast, StockView } from '../../streams/stock-broadcast.js';
import { stockExample } from './catalog.js';

export type StockEventsParts = {
  lookAtStock: LookAtStock;
  stockBroadcast: StockBroadcast;
  /** Counted by address, because readers do not have to identify themselves. */
  stockStreams: EventStreams;
};

const streamExample = `id: ${stockExample.now}
event: stock
data: ${JSON.stringify(stockExample)}

`;

const schema = {
  operationId: 'followStock',
  summary: 'Follow the stock of a product as server-sent events',
  description:
    'Events are named `stock` and carry what `GET /api/stock/{productId}` returns, at most five times a second.',
  callers: 'anyone',
  problems: slugs('sale-not-found', 'too-many-streams', 'overloaded'),
  tags: ['shop'],
  params: z.object({ productId: idParamSchema }),
  response: {
    200: {
      description: 'The stream. It begins with the current stock.',
      content: { 'text/event-stream': { schema: withExample(z.string(), streamExample) } },
    },
  },
} as const;

/** The stock as it changes, at most five times a second. Clients that are refused here poll instead. */
export function registerStockEvents(app: App, parts: StockEventsParts): void {
  const { lookAtStock, stockBroadcast, stockStreams } = parts;

  // No HEAD: it would hold a stream that nothing can be sent on.
  app.get('/api/stock/:productId/events', { schema, exposeHeadRoute: false }, async (request, reply) => {
    const { productId } = request.params;
    const view = await lookAtStock(productId);
    if (!view) throw new ProblemError('sale-not-found', 'This product has no sale.');
    const stream = stockStreams.open(reply, addressKeyOf(request));
    if (typeof stream === 'string') return sendProblem(reply, stream);
    const send = (stock: StockView) =>
      stream.send({ id: stock.now, event: 'stock', data: JSON.stringify(stock) });
    send(view);
    stream.onClose(stockBroadcast.follow(productId, view, send));
    return reply;
  });
}
