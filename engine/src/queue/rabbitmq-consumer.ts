import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { backoffMs, endsWithin, sleep } from '../platform/backoff.js';
import { OperatingError } from '../platform/errors.js';
import { createAlarm } from './alarm.js';
import type { ConsumeOptions, Consumer, Settlement } from './queue.js';
import { abandon, createLink } from './rabbitmq-link.js';
import { decode, encodeRetry, type Incoming } from './rabbitmq-message.js';
import type { Publisher } from './rabbitmq-publisher.js';
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

type Arrival = { incoming: Incoming; source: ConsumeMessage };

/** One connection's worth of messages. With it, all that is not settled goes back to the broker. */
type Session = {
  channel: Channel;
  isOpen: boolean;
  inbox: Arrival[];
  /** Handed over and not settled. */
  held: number;
  /** Of these, the ones that wait for the broker to have taken them for a later time. */
  retrying: number;
};

// The broker hands over what it has in several writes, mostly less than a millisecond apart.
const lingerMs = 3;
const idleWaitMs = 60_000;

/** Takes what arrives, has it handled and settles it, one batch after the other. */
export function startRabbitmqConsumer(
  parts: RabbitmqConsumerParts,
  options: ConsumeOptions,
): RabbitmqConsumer {
  const { url, timeoutMs, topology } = parts;
  const { batchMax, onError } = options;
  const alarm = createAlarm();
  const settler = createSettler(parts, onError);
  const link = createLink({ url, timeoutMs, open, onError });
  let session: Session | undefined;
  let isStopping = false;
  let stopped: Promise<void> | undefined;
  const ended = consumeUntilStopped();

  async function open(model: ChannelModel): Promise<void> {
    const channel = await model.createChannel();
    const opened: Session = { channel, isOpen: true, inbox: [], held: 0, retrying: 0 };
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
    await channel.consume(topology.parked, receive);
    await channel.consume(topology.orders, receive);
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
      settler.retry(to, [{ source, incoming: undelivered(incoming), retryInMs: incoming.restMs }]);
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
    await settler.stop(timeoutMs);
    // The acknowledgements go before it, and what is left in the inbox goes back.
    if (session?.isOpen) await closeChannel(session.channel);
    await link.close();
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

type Retry = Arrival & { retryInMs: number };

/** Says to the broker what has become of messages. Nothing here rejects: what could not be settled comes again. */
function createSettler({ topology, publisher }: RabbitmqConsumerParts, onError: (error: unknown) => void) {
  const underWay = new Set<Promise<void>>();
  let isStopping = false;

  function settle(session: Session, batch: readonly Arrival[], settlements: readonly Settlement[]): void {
    if (!session.isOpen) return;
    const last = batch.at(-1);
    const isAllDone = settlements.every(settlement => settlement === 'done');
    // One frame settles all up to the last one, as long as no other before it is open.
    if (isAllDone && last && session.retrying === 0) {
      session.channel.ack(last.source, true);
      session.held -= batch.length;
      return;
    }
    const retries: Retry[] = [];
    for (const [position, arrival] of batch.entries()) {
      const settlement = settlements[position] ?? 'done';
      if (settlement === 'done') acknowledge(session, arrival);
      else retries.push({ ...arrival, ...settlement });
    }
    if (retries.length > 0) retry(session, retries);
  }

  function retry(session: Session, retries: readonly Retry[]): void {
    session.retrying += retries.length;
    const work = publishRetries(session, retries).finally(() => underWay.delete(work));
    underWay.add(work);
  }

  /** Until it has succeeded, the broker still has the messages as they were: nothing is lost, only late or early. */
  async function publishRetries(session: Session, retries: readonly Retry[]): Promise<void> {
    const outgoing = retries.map(({ incoming, retryInMs }) =>
      encodeRetry(topology, incoming.delivery, retryInMs),
    );
    for (let failures = 0; session.isOpen; failures++) {
      try {
        await publisher.publish(outgoing);
        if (!session.isOpen) return;
        session.retrying -= retries.length;
        for (const arrival of retries) acknowledge(session, arrival);
        return;
      } catch (error) {
        onError(error);
        if (isStopping) return;
        await sleep(backoffMs(failures, 50, 1000));
      }
    }
  }

  function acknowledge(session: Session, { source }: Arrival): void {
    session.channel.ack(source);
    session.held -= 1;
  }

  return {
    settle,
    retry,
    async stop(withinMs: number): Promise<void> {
      isStopping = true;
      await endsWithin(Promise.all(underWay), withinMs);
    },
  };
}

/** On its way from one delay to the next a message is not delivered to anybody. */
function undelivered(incoming: Incoming): Incoming {
  const { message, deliveries } = incoming.delivery;
  return { ...incoming, delivery: { message, deliveries: deliveries - 1 } };
}

function unreadable(): OperatingError {
  return new OperatingError(
    'MESSAGE_UNREADABLE',
    'A message in the queue of orders is none that this build can read',
    'Look at it in the queue whose name ends in .unreadable, and find out who has published it',
  );
}
