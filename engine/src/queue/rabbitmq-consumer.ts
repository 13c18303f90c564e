import type { ConsumeMessage } from 'amqplib';
import { sleep } from '../platform/backoff.js';
import { OperatingError } from '../platform/errors.js';
import { createAlarm } from './alarm.js';
import type { ConsumeOptions, Consumer } from './order-queue.js';
import { createLink } from './rabbitmq-link.js';
import { decode } from './rabbitmq-message.js';
import type { Publisher } from './rabbitmq-publisher.js';
import { type Arrival, createSettler, type Session, type Settler } from './rabbitmq-settler.js';
import { createSubscriber, silentAfterMs } from './rabbitmq-subscriber.js';
import type { Topology } from './rabbitmq-topology.js';
import { type HandleOptions, settlementsOf } from './settlements.js';

export type RabbitmqConsumer = Consumer & {
  /** Messages that the broker has delivered and that are not settled. */
  inFlight(): number;
};

export type RabbitmqConsumerParts = {
  url: string;
  timeoutMs: number;
  topology: Topology;
  publisher: Publisher;
  /** Called with the publishing time of each message that is delivered for the first time. */
  onPublishedAt: (publishedAtMs: number) => void;
};

// The broker delivers messages in several writes, mostly less than a millisecond apart.
const lingerMs = 3;

/** Receives, handles and settles messages, one batch after the other. */
export function startRabbitmqConsumer(
  parts: RabbitmqConsumerParts,
  options: ConsumeOptions & HandleOptions,
): RabbitmqConsumer {
  const { url, timeoutMs, topology } = parts;
  const { batchMax, onError } = options;
  const alarm = createAlarm();
  const stopping = new AbortController();
  const settler = createSettler(parts.publisher, topology, onError);
  const receive = createReceive(parts, settler, onError);
  const subscriber = createSubscriber({
    topology,
    timeoutMs,
    // While one batch is handled, the next one is already being delivered.
    prefetchMax: 2 * batchMax,
    stopping: stopping.signal,
    onMessage(session, message) {
      if (receive(session, message)) alarm.raise();
    },
    onError,
  });
  const link = createLink({ url, timeoutMs, open: subscriber.open, onError });
  let stopped: Promise<void> | undefined;
  const ended = consumeUntilStopped();

  async function consumeUntilStopped(): Promise<void> {
    while (!stopping.signal.aborted) {
      const from = subscriber.current();
      if (!from || from.inbox.length === 0) {
        if (!(await subscriber.renewIfSilent())) await alarm.wait(silentAfterMs);
        continue;
      }
      await untilGathered(from.inbox, batchMax);
      if (!from.isOpen || stopping.signal.aborted) continue;
      const batch = from.inbox.splice(0, batchMax);
      const deliveries = batch.map(({ incoming }) => incoming.delivery);
      settler.settle(from, batch, await settlementsOf(deliveries, options));
    }
  }

  async function stop(): Promise<void> {
    stopping.abort();
    alarm.raise();
    await ended;
    const session = subscriber.current();
    if (session) await leave(session);
    await link.close();
  }

  async function leave(session: Session): Promise<void> {
    await subscriber.cancel(session);
    // Messages that could not be returned go back when the channel closes.
    settler.giveBack(session);
    await settler.stop(timeoutMs);
    if (session.isOpen) await subscriber.close(session);
  }

  return {
    inFlight: () => subscriber.current()?.held ?? 0,
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** Reads a delivered message. @returns whether it went into the inbox; if not, it must wait longer or is unreadable. */
function createReceive(
  { topology, onPublishedAt }: RabbitmqConsumerParts,
  settler: Settler,
  onError: (error: unknown) => void,
): (to: Session, source: ConsumeMessage) => boolean {
  return (to, source) => {
    const incoming = decode(topology, source);
    if (!incoming) {
      // It goes to the parked queue first, and from there to the unreadable queue.
      to.channel.reject(source, false);
      onError(unreadable());
      return false;
    }
    to.held += 1;
    if (incoming.restMs > 0) {
      settler.delayFurther(to, { source, incoming });
      return false;
    }
    if (incoming.publishedAtMs !== undefined) onPublishedAt(incoming.publishedAtMs);
    to.inbox.push({ incoming, source });
    return true;
  };
}

/** Keeps messages that were published together in one batch; under load a batch is full before any wait is needed. */
async function untilGathered(inbox: readonly Arrival[], batchMax: number): Promise<void> {
  for (let seen = 0; inbox.length > seen && inbox.length < batchMax; ) {
    seen = inbox.length;
    await sleep(lingerMs);
  }
}

function unreadable(): OperatingError {
  return new OperatingError(
    'MESSAGE_UNREADABLE',
    'This build cannot read a message in the queue of orders',
    'Look at it in the queue whose name ends in .unreadable, and find out which program published it',
  );
}
