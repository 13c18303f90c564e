import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { type RabbitmqServer, startRabbitmq } from '../../drill/servers/rabbitmq.js';
import { createRabbitmqQueue } from '../../src/queue/rabbitmq-queue.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { describeQueueContract } from '../support/queue-contract.js';

let rabbitmq: RabbitmqServer;
beforeAll(async () => {
  rabbitmq = await startRabbitmq();
}, 300_000);
afterAll(() => rabbitmq.remove());

// Longer than in production: on a processor busy with other tests, a slow broker is not a broken one.
const timeoutMs = 10_000;

describeQueueContract('the queue in RabbitMQ', async () => {
  const namespace = `test-${randomUUID()}`;
  return {
    async connect() {
      const proxy = await startFaultProxy(rabbitmq.url);
      const queue = createRabbitmqQueue({ url: proxy.url, namespace, timeoutMs });
      onTestFinished(() => {
        proxy.mend();
        return queue.close();
      });
      return { queue, cut: proxy.sever, mend: proxy.mend };
    },
  };
});
