import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { endsWithin, sleep } from '../platform/backoff.js';
import { OperatingError } from '../platform/errors.js';
import { createAlarm } from './alarm.js';
import type { ConsumeOptions, Consumer } from './order-queue.js';
import { abandon, createLink } from './rabbitmq-link.js';
import { decode } from './rabbitmq-message.js';
import type { Publisher } from './rabbitmq-publisher.js';
import { type Arrival, createSettler, type Session } from './rabbitmq-settler.js';
import { declareTopology, type Topology } from './rabbitmq-topology.js';
import { type HandleOptions, settlementsOf } from './settlements.js';

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
// A dozen small frames, if nothing comes for that long; and orders wait as long for a subscription that was lost.
const renewAfterMs = 5000;

/** What takes orders at the moment. */
type Subscription = Session & { model: ChannelModel; heardAtMs: number };

/** Takes what arrives, has it handled and settles it, one batch after the other. */
export function startRabbitmqConsumer(
  parts: RabbitmqConsumerParts,
  options: ConsumeOptions & HandleOptions,
): RabbitmqConsumer {
  const { url, timeoutMs, topology } = parts;
  const { batchMax, onError } = options;
  const alarm = createAlarm();
  const settler = createSettler(parts.publisher, topology, onError);
  const link = createLink({ url, timeoutMs, open, onError });
  let session: Subscription | undefined;
  let isStopping = false;
  let stopped: Promise<void> | undefined;
  const ended = consumeUntilStopped();

  async function open(model: ChannelModel): Promise<void> {
    const opened = await openChannel(model);
    await declareTopology(opened.channel, topology);
    await subscribe(opened);
  }

  async function openChannel(model: ChannelModel): Promise<Subscription> {
    const channel = await model.createChannel();
    const state = { isOpen: true, consumerTags: [], inbox: [], held: 0, retrying: 0 };
    const opened: Subscription = { ...state, model, channel, heardAtMs: performance.now() };
    channel.on('error', onError);
    channel.on('close', () => {
      // One that has been left is not missed.
      if (opened.isOpen && !isStopping) giveUp(opened);
      opened.isOpen = false;
    });
    // While one batch is handled, the next one is on its way.
    await channel.prefetch(2 * batchMax);
    return opened;
  }

  async function subscribe(opened: Subscription): Promise<void> {
    session = opened;
    const { channel } = opened;
    opened.heardAtMs = performance.now();
    opened.consumerTags = [];
    for (const queue of [topology.parked, topology.orders]) {
      const receive = (source: ConsumeMessage | null) => {
        // The broker ends a subscription when its queue is deleted; a new connection declares it again.
        if (!source) return giveUp(opened);
        if (queue === topology.orders) opened.heardAtMs = performance.now();
        arrive(opened, source);
      };
      opened.consumerTags.push((await channel.consume(queue, receive)).consumerTag);
    }
  }

  function isSilent(opened: Subscription): boolean {
    return opened.isOpen && opened.held === 0 && performance.now() - opened.heardAtMs >= renewAfterMs;
  }

  /**
   * Subscribes anew, over another channel, when nothing has come for a while. A queue that is deleted and declared again at
   * once may leave behind a channel that the broker has subscribed to the new queue by itself (rabbit_channel.erl,
   * handle_consuming_queue_down_or_eol) and whose deliveries it then drops: no word of it comes, the queue counts a
   * consumer, and what it was to deliver counts as taken until the channel is closed.
   */
  async function renew(silent: Subscription): Promise<void> {
    await Promise.all(silent.consumerTags.map(tag => silent.channel.cancel(tag)));
    // What came meanwhile shows that it hears, and closing the channel would count it as delivered.
    if (silent.held > 0) return subscribe(silent);
    silent.isOpen = false;
    await silent.channel.close();
    if (!isStopping) await subscribe(await openChannel(silent.model));
  }

  async function renewInTime(silent: Subscription): Promise<void> {
    const isInTime = await endsWithin(
      renew(silent).catch(() => giveUp(silent)),
      timeoutMs,
    );
    if (!isInTime) giveUp(silent);
  }

  /** The link opens another connection. Whoever still has a message of this one in hand must not write to it any more. */
  function giveUp(opened: Subscription): void {
    opened.isOpen = false;
    abandon(opened.model);
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
        if (session && isSilent(session)) await renewInTime(session);
        else await alarm.wait(renewAfterMs);
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
