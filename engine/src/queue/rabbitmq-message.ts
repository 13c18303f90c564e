import type { ConsumeMessage, Options } from 'amqplib';
import { z } from 'zod';
import type { Delivery, QueuedOrder } from './order-queue.js';
import { brokerDeliveriesMax, delaysMs, type Topology } from './rabbitmq-topology.js';

/** A message on its way to the broker. */
export type Outgoing = { queue: string; content: Buffer; options: Options.Publish };

/** A message after decoding. */
export type Incoming = {
  delivery: Delivery;
  /** The rest of a delay that no single queue has; the message waits for it before it counts as delivered. */
  restMs: number;
  /** Undefined for a message that was delivered before. */
  publishedAtMs: number | undefined;
};

// A message never comes early. Up to this delay, it waits at most two and a half times as long as requested (three
// times from 10 s on), which is fine for a backoff with jitter. A longer delay passes through several queues, and is
// late by at most this much.
const roundedUpToMs = 30_000;

export function encodeNew(topology: Topology, messages: readonly QueuedOrder[]): Outgoing[] {
  const options = { ...durable, timestamp: Math.floor(Date.now() / 1000) };
  return messages.map(message => ({
    queue: topology.orders,
    content: encode(message),
    options: message.traceparent ? { ...options, headers: traceHeaderOf(message) } : options,
  }));
}

/** @param deliveries how often the message has been delivered so far. The broker's own count starts over. */
export function encodeRetry(
  topology: Topology,
  { message, deliveries }: Delivery,
  retryInMs: number,
): Outgoing {
  const { delayMs, restMs } = planDelay(retryInMs);
  return {
    queue: delayMs === 0 ? topology.orders : topology.delay(delayMs),
    content: encode(message),
    options: { ...durable, headers: { deliveries, restMs, ...traceHeaderOf(message) } },
  };
}

/** The delay queue to wait in, and the delay that remains after it. */
export function planDelay(retryInMs: number): { delayMs: number; restMs: number } {
  if (retryInMs <= 0) return { delayMs: 0, restMs: 0 };
  if (retryInMs <= roundedUpToMs) {
    return { delayMs: delaysMs.find(delayMs => delayMs >= retryInMs) ?? roundedUpToMs, restMs: 0 };
  }
  const delayMs = delaysMs.findLast(delay => delay <= retryInMs) ?? roundedUpToMs;
  return { delayMs, restMs: retryInMs - delayMs };
}

/** @returns undefined for content that is not an order message of this engine. */
export function decode(
  topology: Topology,
  { content, fields, properties }: ConsumeMessage,
): Incoming | undefined {
  const message = readOrder(content);
  const headers = headersSchema.safeParse(properties.headers ?? {});
  if (!message || !headers.success) return undefined;
  const { deliveries, restMs, traceparent } = headers.data;
  const isParked = fields.routingKey === topology.parked;
  const returned = isParked
    ? brokerDeliveriesMax
    : Math.max(headers.data['x-delivery-count'], fields.redelivered ? 1 : 0);
  const before = deliveries + returned;
  return {
    delivery: { message: traceparent ? { ...message, traceparent } : message, deliveries: before + 1 },
    restMs,
    publishedAtMs: before === 0 ? timestampSchema.safeParse(properties.timestamp).data : undefined,
  };
}

const durable = { persistent: true, mandatory: true, contentType: 'application/json' };
const orderSchema = z.object({
  orderId: z.uuid(),
  saleId: z.int(),
  shopperId: z.string(),
  quantity: z.int(),
  forceFail: z.boolean().default(false),
});
const count = z.number().nonnegative().default(0);
const headersSchema = z.object({
  deliveries: count,
  restMs: count,
  'x-delivery-count': count,
  // An unreadable trace does not affect its message.
  traceparent: z.string().length(55).optional().catch(undefined),
});
const timestampSchema = z.number().transform(seconds => seconds * 1000);

function encode({ traceparent: _header, ...message }: QueuedOrder): Buffer {
  return Buffer.from(JSON.stringify(message));
}

// A header with W3C's name, as other tracing libraries for RabbitMQ use it.
function traceHeaderOf({ traceparent }: QueuedOrder): { traceparent?: string } {
  return traceparent ? { traceparent } : {};
}

function readOrder(content: Buffer): QueuedOrder | undefined {
  try {
    const { forceFail, ...message } = orderSchema.parse(JSON.parse(content.toString()));
    return forceFail ? { ...message, forceFail } : message;
  } catch {
    return undefined;
  }
}
