import type { Channel } from 'amqplib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { publishMax } from '../../src/queue/order-queue.js';
import { declareTopology, type Topology } from '../../src/queue/rabbitmq-topology.js';
import { runChild } from '../children/run-child.js';
import { until } from '../support/condition.js';
import { createGate, order, orders, take } from '../support/queue-taker.js';
import {
  isDrained,
  publishUntilConfirmed,
  rabbitmqForFile,
  untilDelivered,
} from '../support/rabbitmq-rig.js';

const broker = rabbitmqForFile();
const unavailable = { code: 'QUEUE_UNAVAILABLE', retryable: true };

describe('RabbitMQ, killed and restarted in the middle', () => {
  it('loses no confirmed message, and the consumer recovers without help', async () => {
    const { queue } = broker.open();
    const taker = take(queue, { batchMax: 50 });
    const first = orders(2000);
    await queue.publish(first);

    await broker.server.kill();
    const startedAtMs = performance.now();
    await expect(broker.open({ timeoutMs: 300 }).queue.publish(orders(1))).rejects.toMatchObject(unavailable);
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
    await broker.server.start();
    const second = orders(2000);
    await publishUntilConfirmed(queue, second);

    await untilDelivered(taker, [...first, ...second]);
    await until('the queue is empty', () => isDrained(queue), 20_000);
  }, 120_000);
});

describe('connections that drop again and again', () => {
  it('lose none of 20,000 messages: each confirmed one is delivered', async () => {
    const { queue, proxy } = await broker.openThroughProxy();
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
    const { queue, topology } = broker.open();
    const channel = await broker.openChannel();
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
    const { queue, topology } = broker.open();
    const taker = take(queue);
    await publishUntilConfirmed(queue, orders(1));
    await until('it is delivered', () => taker.deliveries.length === 1);

    await spoil(await broker.openChannel(), topology);

    const later = orders(1);
    await publishUntilConfirmed(queue, later);
    await untilDelivered(taker, later);
    await until('the queue is empty', () => isDrained(queue));
  });

  it('is consumed again by a consumer with a batch in hand, and that batch settles no other message', async () => {
    const { queue, topology } = broker.open();
    const gate = createGate();
    const taker = take(queue, { before: gate.pass });
    await publishUntilConfirmed(queue, orders(1));
    await until('it is in hand', () => taker.deliveries.length === 1);

    await (await broker.openChannel()).deleteQueue(topology.orders);
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
    const { queue, namespace } = broker.open();
    const messages = orders(2000);
    await queue.publish(messages);
    const settled = new Set<string>();

    for (let round = 0; round < 3; round++) {
      const child = runChild('consume-rabbitmq.ts', broker.server.url, namespace, '50');
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
  it('makes publishing fail soon instead of hanging, lets consumers continue, and allows publishing again once it clears', async () => {
    const { queue } = broker.open({ timeoutMs: 1000 });
    await publishUntilConfirmed(queue, orders(10));
    await broker.server.control('set_vm_memory_high_watermark', '0.000001');
    const taker = take(queue);
    try {
      const startedAtMs = performance.now();
      for (let i = 0; i < 3; i++) await expect(queue.publish(orders(1))).rejects.toMatchObject(unavailable);
      expect(performance.now() - startedAtMs).toBeLessThan(10_000);
      await until('the backlog is delivered', () => taker.deliveries.length >= 10);
      expect((await queue.depth()).ready).toBe(0);
    } finally {
      await broker.server.control('set_vm_memory_high_watermark', '0.4');
    }

    const later = orders(10);
    await publishUntilConfirmed(queue, later);
    await untilDelivered(taker, later);
  }, 60_000);
});

describe('a broker that stops responding', () => {
  it('is not waited for beyond the timeout, and a bounded number of messages waits for it', async () => {
    const { queue, proxy } = await broker.openThroughProxy({ timeoutMs: 2000 });
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
