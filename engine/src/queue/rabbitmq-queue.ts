import { endsWithin } from '../platform/backoff.js';
import { withHooks } from '../platform/hooks.js';
import {
  checkBatchMax,
  checkPublishable,
  type OrderQueue,
  type QueuedOrder,
  type QueueHooks,
  queueClosed,
} from './order-queue.js';
import { type RabbitmqConsumer, startRabbitmqConsumer } from './rabbitmq-consumer.js';
import { abandon, createLink, type Link, unavailable } from './rabbitmq-link.js';
import { encodeNew } from './rabbitmq-message.js';
import { createPublisher } from './rabbitmq-publisher.js';
import { declareTopology, topologyOf } from './rabbitmq-topology.js';

export type RabbitmqQueueOptions = {
  /** `amqp://user:password@host:port/vhost`, or `amqps:` */
  url: string;
  /** How long to wait for a connection, or for the broker's next answer, before it counts as unavailable. */
  timeoutMs?: number;
  /** Prefix of the names of its queues. */
  namespace?: string;
  hooks?: QueueHooks;
};

/** The queue in RabbitMQ: quorum queues and publisher confirms (docs/decisions/0012-rabbitmq-queue.md). */
export function createRabbitmqQueue(options: RabbitmqQueueOptions): OrderQueue {
  const { url, timeoutMs = 2000, namespace = 'doorbuster', hooks = {} } = options;
  const topology = topologyOf(namespace);
  const publisher = createPublisher(url, timeoutMs, topology);
  const consumers = new Set<RabbitmqConsumer>();
  const age = createAge();
  // Over its own connection, which no alarm blocks.
  let counting: Link<() => ReturnType<typeof declareTopology>> | undefined;
  let isClosed = false;

  function countOverALink() {
    return createLink({
      url,
      timeoutMs,
      async open(model) {
        const channel = await model.createChannel();
        channel.on('error', () => {});
        channel.on('close', () => abandon(model));
        await declareTopology(channel, topology);
        return () => declareTopology(channel, topology);
      },
    });
  }

  async function publish(messages: readonly QueuedOrder[]): Promise<void> {
    if (isClosed) throw queueClosed();
    checkPublishable(messages);
    if (messages.length > 0) await publisher.publish(encodeNew(topology, messages));
  }

  return {
    publish: messages => withHooks(hooks.publishing ?? [], messages, publish),
    consume(consumeOptions) {
      if (isClosed) throw queueClosed();
      checkBatchMax(consumeOptions.batchMax);
      const parts = { url, timeoutMs, topology, publisher, onPublishedAt: age.noteEmptyBefore };
      const consumer = startRabbitmqConsumer(parts, { ...consumeOptions, hooks: hooks.handling });
      consumers.add(consumer);
      return {
        async stop() {
          await consumer.stop();
          consumers.delete(consumer);
        },
      };
    },
    async depth() {
      if (isClosed) throw queueClosed();
      counting ??= countOverALink();
      const count = await counting.opened();
      const askedAtMs = Date.now();
      const { ready, delayed } = await within(count(), timeoutMs);
      if (ready === 0) age.noteEmptyBefore(askedAtMs);
      const inFlight = [...consumers].reduce((sum, consumer) => sum + consumer.inFlight(), 0);
      return { ready, inFlight, delayed, oldestAgeMs: ready === 0 ? 0 : age.oldestMs() };
    },
    async close() {
      isClosed = true;
      await Promise.all([...consumers].map(consumer => consumer.stop()));
      consumers.clear();
      await Promise.all([publisher.close(), counting?.close()]);
    },
  };
}

/**
 * The broker does not report how old a message is. A waiting message is younger than the last one that was delivered here
 * for the first time, and younger than the last moment when the queue was empty.
 */
function createAge() {
  let emptyBeforeMs = Number.NEGATIVE_INFINITY;
  return {
    noteEmptyBefore(atMs: number): void {
      // A publisher whose clock is ahead must not make all messages look new for long.
      emptyBeforeMs = Math.max(emptyBeforeMs, Math.min(atMs, Date.now()));
    },
    oldestMs: () => (Number.isFinite(emptyBeforeMs) ? Math.max(0, Date.now() - emptyBeforeMs) : undefined),
  };
}

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  if (!(await endsWithin(work, timeoutMs))) throw unavailable(new Error(`no answer for ${timeoutMs} ms`));
  return work;
}
