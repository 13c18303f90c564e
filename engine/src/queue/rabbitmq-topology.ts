import type { Channel, Options } from 'amqplib';
import { OperatingError } from '../platform/errors.js';

/** The queues of one namespace, by their names. All are quorum queues, and dead-letter at least once. */
export type Topology = {
  /** Orders that wait to be decided. */
  orders: string;
  /** Orders that the broker has given up on. They are consumed too, because the worker decides what to do with them. */
  parked: string;
  /** Messages that are not orders of this engine, for an operator to look at. No process consumes them. */
  unreadable: string;
  /** The queue in which a message waits for a delay before it goes to `orders`. */
  delay(delayMs: number): string;
};

/**
 * Delays that have a queue, in ascending order. Each has its own queue: a message with its own time to live would only
 * leave when it reaches the head of the queue, behind messages with longer times.
 */
export const delaysMs: readonly number[] = [100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 600_000];

// The worker buries messages that were delivered 20 times. This limit is for messages that prevent it from doing so, both
// on brokers that would redeliver forever and on those that would give up after 20.
export const brokerDeliveriesMax = 100;
// At most about 50 MB, of messages that no program should have sent.
const unreadableMax = 10_000;

export function topologyOf(namespace: string): Topology {
  const orders = `${namespace}.orders`;
  return {
    orders,
    parked: `${orders}.parked`,
    unreadable: `${orders}.unreadable`,
    delay: delayMs => `${orders}.delay.${delayMs}`,
  };
}

/**
 * Declares missing queues, and counts what waits.
 *
 * @throws OperatingError TOPOLOGY_CHANGED if a queue of that name has other properties.
 */
export async function declareTopology(
  channel: Channel,
  topology: Topology,
): Promise<{ ready: number; delayed: number }> {
  const { orders, parked, unreadable } = topology;
  const declare = (queue: string, options: Options.AssertQueue) => declareQueue(channel, queue, options);
  // The destination of each route before its source, so that no message is ever routed to a missing queue.
  await declare(unreadable, { maxLength: unreadableMax, overflow: 'drop-head' });
  const parkedCount = await declare(parked, deadLetteringTo(unreadable));
  const ordersCount = await declare(
    orders,
    deadLetteringTo(parked, { 'x-delivery-limit': brokerDeliveriesMax }),
  );
  let delayed = 0;
  for (const delayMs of delaysMs) {
    delayed += await declare(topology.delay(delayMs), deadLetteringTo(orders, { 'x-message-ttl': delayMs }));
  }
  return { ready: ordersCount + parkedCount, delayed };
}

function deadLetteringTo(queue: string, more: Record<string, unknown> = {}): Options.AssertQueue {
  return {
    deadLetterExchange: '',
    deadLetterRoutingKey: queue,
    // Required so that the broker keeps dead-lettered messages until they have arrived.
    overflow: 'reject-publish',
    arguments: { 'x-dead-letter-strategy': 'at-least-once', ...more },
  };
}

/** @returns how many messages could be delivered from it now. */
async function declareQueue(channel: Channel, queue: string, options: Options.AssertQueue): Promise<number> {
  const queueArguments = { ...options.arguments, 'x-queue-type': 'quorum' };
  try {
    const declared = await channel.assertQueue(queue, {
      ...options,
      durable: true,
      arguments: queueArguments,
    });
    return declared.messageCount;
  } catch (error) {
    throw isPreconditionFailed(error) ? topologyChanged(queue, error) : error;
  }
}

function isPreconditionFailed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 406;
}

function topologyChanged(queue: string, cause: unknown): OperatingError {
  return new OperatingError(
    'TOPOLOGY_CHANGED',
    `The broker has a queue ${queue} whose properties differ from those that this build needs`,
    `Let workers of the build that made the queue empty it, stop them, and delete it (rabbitmqctl delete_queue ${queue}). This build then declares it again, and the scheduler re-publishes the orders that were in it`,
    { cause },
  );
}
