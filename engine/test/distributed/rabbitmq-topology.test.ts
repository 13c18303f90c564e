import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../src/platform/errors.js';
import { topologyOf } from '../../src/queue/rabbitmq-topology.js';
import { until } from '../support/condition.js';
import { order, orders, take } from '../support/queue-taker.js';
import { isDrained, publishUntilConfirmed, rabbitmqForFile } from '../support/rabbitmq-rig.js';

const broker = rabbitmqForFile();

describe('a changed topology', () => {
  it('is an error that names the remedy, and disappears after the remedy', async () => {
    const namespace = `test-${randomUUID()}`;
    const topology = topologyOf(namespace);
    const channel = await broker.openChannel();
    await channel.assertQueue(topology.orders, { durable: true });
    const { queue } = broker.open({ namespace });
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
    const { queue, topology } = broker.open();
    await queue.publish(orders(5));
    const channel = await broker.openChannel();
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
    const { queue, topology } = broker.open();
    await queue.depth();
    const given = order();
    (await broker.openChannel()).sendToQueue(topology.parked, Buffer.from(JSON.stringify(given)));

    const taker = take(queue);

    await until('it is delivered', () => taker.deliveries.length === 1);
    expect(taker.deliveries).toEqual([{ message: given, deliveries: 101 }]);
  });
});

describe("a delay longer than any single queue's", () => {
  it('is split into parts, which do not count as deliveries', async () => {
    const { queue, topology } = broker.open();
    await queue.depth();
    const delayed = order();
    const headers = { deliveries: 1, restMs: 600 };
    const startedAtMs = performance.now();
    const content = Buffer.from(JSON.stringify(delayed));
    (await broker.openChannel()).sendToQueue(topology.delay(100), content, { persistent: true, headers });

    const taker = take(queue);

    await until('it is delivered', () => taker.deliveries.length === 1);
    expect(performance.now() - startedAtMs).toBeGreaterThan(700);
    expect(taker.deliveries).toEqual([{ message: delayed, deliveries: 2 }]);
  });
});
