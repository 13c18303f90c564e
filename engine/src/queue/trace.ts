import { endAfter, type Span, type Tracing } from '../platform/telemetry/tracing.js';
import type { Delivery, OrderQueue, QueuedOrder, Settlement } from './queue.js';

/**
 * Carries traces over the queue: each message that belongs to one is sent with the span of its sending, and each delivery
 * is a span that goes on from there, from when its batch is handed to the handler to when what became of it is known.
 *
 * @param system what OpenTelemetry calls the broker.
 */
export function traceQueue(
  queue: OrderQueue,
  tracing: Tracing,
  system: 'rabbitmq' | 'postgresql',
): OrderQueue {
  const attributesOf = ({ orderId, saleId }: QueuedOrder, operation: 'send' | 'process') => ({
    'messaging.system': system,
    'messaging.operation.type': operation,
    'messaging.destination.name': 'orders',
    'doorbuster.order.id': orderId,
    'doorbuster.sale.id': saleId,
  });

  function startSending(message: QueuedOrder): Span | undefined {
    const { traceparent: parent } = message;
    if (parent === undefined) return undefined;
    const attributes = attributesOf(message, 'send');
    return tracing.start('send orders', { kind: 'producer', parent, attributes });
  }

  function startProcessing({ message, deliveries }: Delivery): Span {
    const attributes = { ...attributesOf(message, 'process'), 'doorbuster.deliveries': deliveries };
    return tracing.start('process orders', { kind: 'consumer', parent: message.traceparent, attributes });
  }

  return {
    ...queue,
    async publish(messages) {
      const spans = messages.map(startSending);
      const named = messages.map((message, position) => {
        const traceparent = spans[position]?.traceparent;
        return traceparent === undefined ? message : { ...message, traceparent };
      });
      await endAfter(spans, () => queue.publish(named));
    },
    consume: options =>
      queue.consume({
        ...options,
        handle(deliveries) {
          const spans = deliveries.map(startProcessing);
          return endAfter(spans, async () => {
            const handed = deliveries.map((delivery, position) => ({ ...delivery, span: spans[position] }));
            const settlements = await options.handle(handed);
            for (const [position, settlement] of settlements.entries()) {
              spans[position]?.set({ 'doorbuster.settlement': nameOf(settlement) });
            }
            return settlements;
          });
        },
      }),
  };
}

function nameOf(settlement: Settlement): string {
  if (settlement === 'done') return 'done';
  return 'retryInMs' in settlement ? 'retry' : 'later';
}
