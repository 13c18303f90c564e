import type { Channel, Options } from 'amqplib';
import { OperatingError } from '../platform/errors.js';

/** The queues of one namespace, by their names. All are quorum queues, and dead-letter at least once. */
export type Topology = {
  /** Where orders wait to be decided. */
  orders: string;
  /** Orders that the broker has given up on. They are consumed too, for the worker says what becomes of them. */
  parked: string;
  /** What is no order of ours, for a person to look at. Nobody consumes it. */
  unreadable: string;
  /** Where a message waits for a delay, which ends in `orders`. */
  delay(delayMs: number): string;
};

/**
 * Delays that have a queue, in ascending order. A queue for each, since a message with a time to live of its own would
 * only leave when it has come to the head, behind others with longer ones.
 */
export const delaysMs: readonly number[] = [100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 600_000];

// The worker buries what was delivered 20 times. This is for what never lets it, on brokers that would go on for ever as
// well as on those that would give up after 20.
export const brokerDeliveriesMax = 100;
// Some 50 MB at most, of messages that nobody should have sent.
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
 * Declares what is missing, and counts what waits.
 *
 * @throws OperatingError TOPOLOGY_CHANGED when a queue of that name has other properties.
 */
export async function declareTopology(
  channel: Channel,
  topology: Topology,
): Promise<{ ready: number; delayed: number }> {
  const { orders, parked, unreadable } = topology;
  const declare = (queue: string, options: Options.AssertQueue) => declareQueue(channel, queue, options);
  // The ends of each road before its beginning, so that nothing is ever on the way to nowhere.
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
    // Without it the broker could not keep dead letters until they have arrived.
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
    `The broker has a queue ${queue} with other properties than this build wants`,
    `Let workers of the build that made it empty it, stop them, and delete it (rabbitmqctl delete_queue ${queue}): it is made anew, and what was in it is told again by the scheduler`,
    { cause },
  );
}
