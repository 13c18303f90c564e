import type { Faults } from '../../faults/faults.js';
import { OperatingError } from '../../platform/errors.js';
import { endSpans, type Span, type Tracing } from '../../platform/telemetry/tracing.js';
import type { Delivery, QueuedOrder, QueueHooks, Settlement } from '../../queue/order-queue.js';

type QueueHook<Name extends keyof QueueHooks> = NonNullable<QueueHooks[Name]>[number];

/** The hooks of messages: spans if tracing is on, and faults if they are enabled. */
export function createQueueHooks(
  tracing: Tracing | undefined,
  system: 'rabbitmq' | 'postgresql',
  faults: Faults,
): Required<QueueHooks> {
  const tracers = tracing && traceMessages(tracing, system);
  return {
    publishing: [
      ...(tracers ? [tracers.publishing] : []),
      ...(faults.isEnabled ? [disturbPublishing(faults)] : []),
    ],
    handling: [
      ...(tracers ? [tracers.handling] : []),
      ...(faults.isEnabled ? [disturbHandling(faults)] : []),
    ],
  };
}

/**
 * Carries traces over the queue. A message that belongs to a trace is sent with the span of its publication. Each
 * delivery is a span that continues from there: from handing its batch to the handler until its settlement is known.
 *
 * @param system OpenTelemetry's name for the broker.
 */
function traceMessages(
  tracing: Tracing,
  system: 'rabbitmq' | 'postgresql',
): { publishing: QueueHook<'publishing'>; handling: QueueHook<'handling'> } {
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
    publishing(messages) {
      const spans = messages.map(startSending);
      const call = messages.map((message, position) => {
        const traceparent = spans[position]?.traceparent;
        return traceparent === undefined ? message : { ...message, traceparent };
      });
      return { call, ended: ended => endSpans(spans, ended) };
    },
    handling(deliveries) {
      const spans = deliveries.map(startProcessing);
      return {
        call: deliveries.map((delivery, position) => ({ ...delivery, span: spans[position] })),
        ended(ended) {
          const settlements = 'result' in ended ? ended.result : [];
          for (const [position, settlement] of settlements.entries()) {
            spans[position]?.set({ 'doorbuster.settlement': nameOf(settlement) });
          }
          endSpans(spans, ended);
        },
      };
    },
  };
}

function nameOf(settlement: Settlement): string {
  if (settlement === 'done') return 'done';
  return 'retryInMs' in settlement ? 'retry' : 'later';
}

// How long a call to a real broker may take before it counts as failed.
const patienceMs = 5000;

function disturbPublishing(faults: Faults): QueueHook<'publishing'> {
  return () => faults.inject('queue', patienceMs)?.then(() => undefined, throwUnavailable);
}

function disturbHandling(faults: Faults): QueueHook<'handling'> {
  return () => faults.inject('queue', patienceMs)?.then(() => undefined);
}

function throwUnavailable(cause: unknown): never {
  throw new OperatingError(
    'QUEUE_UNAVAILABLE',
    'A fault was set at the queue',
    'Clear it, or wait until it ends',
    { cause, retryable: true },
  );
}
