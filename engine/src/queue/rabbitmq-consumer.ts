import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { endsWithin, sleep } from '../platform/backoff.js';
import { OperatingError } from '../platform/errors.js';
import { createAlarm } from './alarm.js';
import type { ConsumeOptions, Consumer } from './queue.js';
import { abandon, createLink } from './rabbitmq-link.js';
import { decode } from './rabbitmq-message.js';
import type { Publisher } from './rabbitmq-publisher.js';
import { type Arrival, createSettler, type Session } from './rabbitmq-settler.js';
import { declareTopology, type Topology } from './rabbitmq-topology.js';
import { settlementsOf } from './settlements.js';

export type RabbitmqConsumer = Consumer & {
  /** Messages that the broker has handed over and that are not settled. */
  inFlight(): number;
};

export type RabbitmqConsumerParts = {
  url: string;
  timeoutMs: number;
  topology: Topology;
  publisher: Publisher;
  /** Told when each message that comes for the first time was published. */
  onPublishedAt: (publishedAtMs: number) => void;
};

// The broker hands over what it has in several writes, mostly less than a millisecond apart.
const lingerMs = 3;
const idleWaitMs = 60_000;
// One short question; orders wait that long at most for a subscription that was lost.
const watchEveryMs = 2000;

/** Takes what arrives, has it handled and settles it, one batch after the other. */
export function startRabbitmqConsumer(
  parts: RabbitmqConsumerParts,
  options: ConsumeOptions,
): RabbitmqConsumer {
  const { url, timeoutMs, topology } = parts;
  const { batchMax, onError } = options;
  const alarm = createAlarm();
  const settler = createSettler(parts.publisher, topology, onError);
  const link = createLink({ url, timeoutMs, open, onError });
  let session: Session | undefined;
  let isStopping = false;
  let stopped: Promise<void> | undefined;
  const ended = consumeUntilStopped();

  async function open(model: ChannelModel): Promise<void> {
    const channel = await model.createChannel();
    const opened: Session = { channel, isOpen: true, consumerTags: [], inbox: [], held: 0, retrying: 0 };
    channel.on('error', onError);
    channel.on('close', () => {
      opened.isOpen = false;
      if (!isStopping) abandon(model);
    });
    await declareTopology(channel, topology);
    // While one batch is handled, the next one is on its way.
    await channel.prefetch(2 * batchMax);
    session = opened;
    // The broker ends a subscription when its queue is deleted; a new connection declares it again.
    const receive = (source: ConsumeMessage | null) => (source ? arrive(opened, source) : abandon(model));
    for (const queue of [topology.parked, topology.orders]) {
      opened.consumerTags.push((await channel.consume(queue, receive)).consumerTag);
    }
    watch(opened, () => abandon(model));
  }

  // The broker's word that a subscription has ended may get lost with the queue it was for. Nobody can see whether the own
  // subscription is there, only whether there is any.
  function watch(opened: Session, giveUp: () => void): void {
    const timer = setInterval(() => {
      opened.channel.checkQueue(topology.orders).then(
        ({ consumerCount }) => {
          if (opened.isOpen && !isStopping && consumerCount === 0) giveUp();
        },
        // A queue that is gone closes the channel, which is heard of there.
        () => {},
      );
    }, watchEveryMs).unref();
    opened.channel.on('close', () => clearInterval(timer));
  }

  function arrive(to: Session, source: ConsumeMessage): void {
    const incoming = decode(topology, source);
    if (!incoming) {
      // First to what is parked, and from there to what is unreadable.
      to.channel.reject(source, false);
      onError(unreadable());
      return;
    }
    to.held += 1;
    if (incoming.restMs > 0) {
      settler.delayFurther(to, { source, incoming });
      return;
    }
    if (incoming.publishedAtMs !== undefined) parts.onPublishedAt(incoming.publishedAtMs);
    to.inbox.push({ incoming, source });
    alarm.raise();
  }

  async function consumeUntilStopped(): Promise<void> {
    while (!isStopping) {
      if (!session?.isOpen || session.inbox.length === 0) {
        await alarm.wait(idleWaitMs);
        continue;
      }
      const from = session;
      await untilGathered(from.inbox, batchMax);
      if (!from.isOpen || isStopping) continue;
      const batch = from.inbox.splice(0, batchMax);
      const deliveries = batch.map(({ incoming }) => incoming.delivery);
      settler.settle(from, batch, await settlementsOf(deliveries, options));
    }
  }

  async function stop(): Promise<void> {
    isStopping = true;
    alarm.raise();
    await ended;
    if (session?.isOpen) await leave(session);
    await link.close();
  }

  async function leave(left: Session): Promise<void> {
    const cancelled = Promise.all(left.consumerTags.map(tag => left.channel.cancel(tag)));
    // What could not be given back goes back with the channel.
    await endsWithin(cancelled.catch(onError), timeoutMs);
    settler.giveBack(left);
    await settler.stop(timeoutMs);
    if (left.isOpen) await closeChannel(left.channel);
  }

  // If the connection breaks meanwhile, the broker's confirmation never comes.
  async function closeChannel(channel: Channel): Promise<void> {
    const closed = new Promise(resolve => channel.on('close', resolve));
    await endsWithin(Promise.race([channel.close().catch(onError), closed]), timeoutMs);
  }

  return {
    inFlight: () => (session?.isOpen ? session.held : 0),
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** So that what was published together comes together; under load a batch is full before anybody has to wait. */
async function untilGathered(inbox: readonly Arrival[], batchMax: number): Promise<void> {
  for (let seen = 0; inbox.length > seen && inbox.length < batchMax; ) {
    seen = inbox.length;
    await sleep(lingerMs);
  }
}

function unreadable(): OperatingError {
  return new OperatingError(
    'MESSAGE_UNREADABLE',
    'A message in the queue of orders is none that this build can read',
    'Look at it in the queue whose name ends in .unreadable, and find out who has published it',
  );
}
