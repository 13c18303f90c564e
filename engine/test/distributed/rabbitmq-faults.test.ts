import { randomUUID } from 'node:crypto';
import { type Channel, connect } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RabbitmqServer, startRabbitmq } from '../../drill/servers/rabbitmq.js';
import { codeOf } from '../../src/platform/errors.js';
import { type OrderQueue, publishMax, type QueuedOrder } from '../../src/queue/order-queue.js';
import { createRabbitmqQueue } from '../../src/queue/rabbitmq-queue.js';
import { declareTopology, type Topology, topologyOf } from '../../src/queue/rabbitmq-topology.js';
import { runChild } from '../children/run-child.js';
import { until } from '../support/condition.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { createGate, idsOf, isEmpty, order, orders, type Taker, take } from '../support/queue-taker.js';

let rabbitmq: RabbitmqServer;
beforeAll(async () => {
  rabbitmq = await startRabbitmq();
}, 300_000);
afterAll(() => rabbitmq.remove());

const timeoutMs = 10_000;
const unavailable = { code: 'QUEUE_UNAVAILABLE', retryable: true };

describe('RabbitMQ, killed and restarted in the middle', () => {
  it('loses no confirmed message, and the consumer recovers without help', async () => {
    const { queue } = open();
    const taker = take(queue, { batchMax: 50 });
    const first = orders(2000);
    await queue.publish(first);

    await rabbitmq.kill();
    const startedAtMs = performance.now();
    await expect(open({ timeoutMs: 300 }).queue.publish(orders(1))).rejects.toMatchObject(unavailable);
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
    await rabbitmq.start();
    const second = orders(2000);
    await publishUntilConfirmed(queue, second);

    await untilDelivered(taker, [...first, ...second]);
    await until('the queue is empty', () => isDrained(queue), 20_000);
  }, 120_000);
});

describe('connections that drop again and again', () => {
  it('lose none of 20,000 messages: each confirmed one is delivered', async () => {
    const { queue, proxy } = await openThroughProxy();
    const taker = take(queue, { batchMax: 500 });
    const messages = orders(20_000);
    let published = 0;

    const flow = (async () => {
      for (; published < messages.length; published += 200) {
        await publishUntilConfirmed(queue, messages.slice(published, published + 200));
      }
    })();
    for (let drops = 1; drops < 10; drops++) {
      await until('another tenth is on its way', () => published >= drops * 2000, 60_000);
      proxy.drop();
    }
    await flow;

    await untilDelivered(taker, messages);
    await until('the queue is empty', () => isDrained(queue), 20_000);
  }, 120_000);
});

describe('a queue that is deleted', () => {
  it('is declared again: a publish without a queue reports it, and the next one arrives', async () => {
    const { queue, topology } = open();
    const channel = await openChannel();
    const taker = take(queue);
    await publishUntilConfirmed(queue, orders(1));
    await until('it is delivered', () => taker.deliveries.length === 1);
    await taker.stop();

    await channel.deleteQueue(topology.orders);
    await expect(queue.publish([order()])).rejects.toMatchObject(unavailable);

    const [arriving] = [order()];
    await publishUntilConfirmed(queue, [arriving]);
    expect((await queue.depth()).ready).toBe(1);
  });

  it.each<[string, (channel: Channel, topology: Topology) => Promise<unknown>]>([
    ['by the next publisher', (channel, { orders }) => channel.deleteQueue(orders)],
    // Before the broker's channel notices the deletion, and then drops the message it should deliver
    // (docs/decisions/0012).
    [
      'at once',
      (channel, topology) =>
        Promise.all([channel.deleteQueue(topology.orders), declareTopology(channel, topology)]),
    ],
  ])('is consumed again by an idle consumer when it is declared again %s', async (_, spoil) => {
    const { queue, topology } = open();
    const taker = take(queue);
    await publishUntilConfirmed(queue, orders(1));
    await until('it is delivered', () => taker.deliveries.length === 1);

    await spoil(await openChannel(), topology);

    const later = orders(1);
    await publishUntilConfirmed(queue, later);
    await untilDelivered(taker, later);
    await until('the queue is empty', () => isDrained(queue));
  });

  it('is consumed again by a consumer with a batch in hand, and that batch settles no other message', async () => {
    const { queue, topology } = open();
    const gate = createGate();
    const taker = take(queue, { before: gate.pass });
    await publishUntilConfirmed(queue, orders(1));
    await until('it is in hand', () => taker.deliveries.length === 1);

    await (await openChannel()).deleteQueue(topology.orders);
    await until('the consumer has lost its connection', () => taker.errors.length > 0);
    gate.open();

    const later = orders(1);
    await publishUntilConfirmed(queue, later);
    await untilDelivered(taker, later);
    await until('the queue is empty', () => isDrained(queue));
  });
});

describe('a worker killed with SIGKILL', () => {
  it('three times with messages in hand: none is lost', async () => {
    const { queue, namespace } = open();
    const messages = orders(2000);
    await queue.publish(messages);
    const settled = new Set<string>();

    for (let round = 0; round < 3; round++) {
      const child = runChild('consume-rabbitmq.ts', rabbitmq.url, namespace, '50');
      for (let batch = 0; batch < 3; batch++) {
        const ids: string[] = JSON.parse(await child.nextLine());
        if (batch === 2) break;
        for (const id of ids) settled.add(id);
        child.writeLine('go on');
      }
      await child.kill();
    }
    const heir = take(queue, { batchMax: 500 });

    const rest = messages.filter(({ orderId }) => !settled.has(orderId));
    await untilDelivered(heir, rest);
    expect(heir.deliveries.some(({ deliveries }) => deliveries > 1)).toBe(true);
  }, 60_000);
});

describe('a memory alarm', () => {
  it('makes publishing fail soon instead of hanging, lets consumers go on, and passes', async () => {
    const { queue } = open({ timeoutMs: 1000 });
    await publishUntilConfirmed(queue, orders(10));
    await rabbitmq.control('set_vm_memory_high_watermark', '0.000001');
    const taker = take(queue);
    try {
      const startedAtMs = performance.now();
      for (let i = 0; i < 3; i++) await expect(queue.publish(orders(1))).rejects.toMatchObject(unavailable);
      expect(performance.now() - startedAtMs).toBeLessThan(10_000);
      await until('the backlog is delivered', () => taker.deliveries.length >= 10);
      expect((await queue.depth()).ready).toBe(0);
    } finally {
      await rabbitmq.control('set_vm_memory_high_watermark', '0.4');
    }

    const later = orders(10);
    await publishUntilConfirmed(queue, later);
    await untilDelivered(taker, later);
  }, 60_000);
});

describe('a changed topology', () => {
  it('is an error that names the remedy, and disappears after the remedy', async () => {
    const namespace = `test-${randomUUID()}`;
    const topology = topologyOf(namespace);
    const channel = await openChannel();
    await channel.assertQueue(topology.orders, { durable: true });
    const { queue } = open({ namespace });
    const taker = take(queue);

    const changed = { code: 'TOPOLOGY_CHANGED', retryable: false };
    await expect(queue.publish([order()])).rejects.toMatchObject(changed);
    await expect(queue.publish([order()])).rejects.toThrow(`rabbitmqctl delete_queue ${topology.orders}`);
    await expect(queue.depth()).rejects.toMatchObject(changed);
    await until('the consumer reports it too', () =>
      taker.errors.some(error => codeOf(error) === changed.code),
    );

    await channel.deleteQueue(topology.orders);
    await publishUntilConfirmed(queue, [order()]);
    await until('it is delivered', () => taker.deliveries.length === 1, 20_000);
  });
});

describe('an invalid message', () => {
  it('is set aside for an operator, and its neighbours are unaffected', async () => {
    const { queue, topology } = open();
    await queue.publish(orders(5));
    const channel = await openChannel();
    for (const text of ['no JSON', '{}', '{"orderId":"x"}']) {
      channel.sendToQueue(topology.orders, Buffer.from(text), { persistent: true });
    }
    await until('all are there', async () => (await queue.depth()).ready === 8);
    const taker = take(queue);

    await until(
      'they are set aside',
      async () => (await channel.checkQueue(topology.unreadable)).messageCount === 3,
      20_000,
    );
    await until('the queue is empty', () => isDrained(queue));
    expect(taker.deliveries).toHaveLength(5);
    expect(taker.errors.map(codeOf)).toContain('MESSAGE_UNREADABLE');
  });
});

describe("an order that exceeds the broker's delivery limit", () => {
  it('still arrives, with more deliveries than any worker accepts', async () => {
    const { queue, topology } = open();
    await queue.depth();
    const given = order();
    (await openChannel()).sendToQueue(topology.parked, Buffer.from(JSON.stringify(given)));

    const taker = take(queue);

    await until('it is delivered', () => taker.deliveries.length === 1);
    expect(taker.deliveries).toEqual([{ message: given, deliveries: 101 }]);
  });
});

describe("a delay longer than any single queue's", () => {
  it('is split into parts, which do not count as deliveries', async () => {
    const { queue, topology } = open();
    await queue.depth();
    const delayed = order();
    const headers = { deliveries: 1, restMs: 600 };
    const startedAtMs = performance.now();
    const content = Buffer.from(JSON.stringify(delayed));
    (await openChannel()).sendToQueue(topology.delay(100), content, { persistent: true, headers });

    const taker = take(queue);

    await until('it is delivered', () => taker.deliveries.length === 1);
    expect(performance.now() - startedAtMs).toBeGreaterThan(700);
    expect(taker.deliveries).toEqual([{ message: delayed, deliveries: 2 }]);
  });
});

describe('a broker that stops responding', () => {
  it('is not waited for beyond the timeout, and a bounded number of messages waits for it', async () => {
    const { queue, proxy } = await openThroughProxy({ timeoutMs: 2000 });
    await publishUntilConfirmed(queue, orders(1));
    proxy.setSilent(true);
    onTestFinished(() => proxy.setSilent(false));

    const startedAtMs = performance.now();
    const published = Array.from({ length: 5 }, () => queue.publish(orders(publishMax)));
    const refused = queue.publish(orders(1));
    await expect(refused).rejects.toThrow('50000 messages already wait');
    const results = await Promise.allSettled(published);
    expect(performance.now() - startedAtMs).toBeLessThan(20_000);
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: unavailable });
  });
});

function open({
  namespace = `test-${randomUUID()}`,
  ...options
}: {
  namespace?: string;
  timeoutMs?: number;
} = {}) {
  const queue = createRabbitmqQueue({ url: rabbitmq.url, namespace, timeoutMs, ...options });
  onTestFinished(() => queue.close());
  return { queue, namespace, topology: topologyOf(namespace) };
}

async function openThroughProxy(
  options: { timeoutMs?: number } = {},
): Promise<{ queue: OrderQueue; proxy: FaultProxy }> {
  const proxy = await startFaultProxy(rabbitmq.url);
  const namespace = `test-${randomUUID()}`;
  const queue = createRabbitmqQueue({ url: proxy.url, namespace, timeoutMs, ...options });
  onTestFinished(() => queue.close());
  return { queue, proxy };
}

/** A direct channel to the broker, to break things with. */
async function openChannel(): Promise<Channel> {
  const connection = await connect(rabbitmq.url);
  onTestFinished(() => connection.close());
  return connection.createChannel();
}

async function publishUntilConfirmed(queue: OrderQueue, messages: readonly QueuedOrder[]): Promise<void> {
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

async function untilDelivered(taker: Taker, messages: readonly QueuedOrder[]): Promise<void> {
  const isComplete = () => {
    const delivered = new Set(idsOf(taker.deliveries));
    return messages.every(({ orderId }) => delivered.has(orderId));
  };
  await until('all are delivered', isComplete, 30_000);
}

/** @returns false, too, while the broker cannot be asked. */
async function isDrained(queue: OrderQueue): Promise<boolean> {
  return queue.depth().then(isEmpty, () => false);
}
