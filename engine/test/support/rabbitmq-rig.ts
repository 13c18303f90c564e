import { randomUUID } from 'node:crypto';
import { type Channel, connect } from 'amqplib';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { type RabbitmqServer, startRabbitmq } from '../../drill/servers/rabbitmq.js';
import { codeOf } from '../../src/platform/errors.js';
import type { OrderQueue, QueuedOrder } from '../../src/queue/order-queue.js';
import { createRabbitmqQueue } from '../../src/queue/rabbitmq-queue.js';
import { type Topology, topologyOf } from '../../src/queue/rabbitmq-topology.js';
import { until } from './condition.js';
import { type FaultProxy, startFaultProxy } from './fault-proxy.js';
import { idsOf, isEmpty, type Taker } from './queue-taker.js';

type Opened = { queue: OrderQueue; namespace: string; topology: Topology };

/** A broker that the tests may kill and starve, and queues in it that are closed when their test ends. */
export type RabbitmqRig = {
  readonly server: RabbitmqServer;
  open(options?: { namespace?: string; timeoutMs?: number }): Opened;
  openThroughProxy(options?: { timeoutMs?: number }): Promise<{ queue: OrderQueue; proxy: FaultProxy }>;
  /** A direct channel to the broker, to break things with. */
  openChannel(): Promise<Channel>;
};

const timeoutDefaultMs = 10_000;

/** Starts a broker for the tests of one file. */
export function rabbitmqForFile(): RabbitmqRig {
  let server: RabbitmqServer;
  beforeAll(async () => {
    server = await startRabbitmq();
  }, 300_000);
  afterAll(() => server.remove());

  function openAt(url: string, namespace: string, timeoutMs = timeoutDefaultMs): OrderQueue {
    const queue = createRabbitmqQueue({ url, namespace, timeoutMs });
    onTestFinished(() => queue.close());
    return queue;
  }

  return {
    get server() {
      return server;
    },
    open({ namespace = `test-${randomUUID()}`, timeoutMs } = {}) {
      const queue = openAt(server.url, namespace, timeoutMs);
      return { queue, namespace, topology: topologyOf(namespace) };
    },
    async openThroughProxy({ timeoutMs } = {}) {
      const proxy = await startFaultProxy(server.url);
      return { queue: openAt(proxy.url, `test-${randomUUID()}`, timeoutMs), proxy };
    },
    async openChannel() {
      const connection = await connect(server.url);
      onTestFinished(() => connection.close());
      return connection.createChannel();
    },
  };
}

export async function publishUntilConfirmed(
  queue: OrderQueue,
  messages: readonly QueuedOrder[],
): Promise<void> {
  await until(
    'they are confirmed',
    () =>
      queue.publish(messages).then(
        () => true,
        error => {
          if (codeOf(error) === 'QUEUE_UNAVAILABLE' || codeOf(error) === 'TOPOLOGY_CHANGED') return false;
          throw error;
        },
      ),
    60_000,
  );
}

export async function untilDelivered(taker: Taker, messages: readonly QueuedOrder[]): Promise<void> {
  const isComplete = () => {
    const delivered = new Set(idsOf(taker.deliveries));
    return messages.every(({ orderId }) => delivered.has(orderId));
  };
  await until('all are delivered', isComplete, 30_000);
}

/** @returns false, too, while the broker cannot be asked. */
export async function isDrained(queue: OrderQueue): Promise<boolean> {
  return queue.depth().then(isEmpty, () => false);
}
