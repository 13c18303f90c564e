import type { ChannelModel, ConsumeMessage } from 'amqplib';
import { endsWithin } from '../platform/backoff.js';
import { abandon } from './rabbitmq-link.js';
import type { Session } from './rabbitmq-settler.js';
import { declareTopology, type Topology } from './rabbitmq-topology.js';

/** A channel on which the broker delivers orders. */
type Subscription = Session & { model: ChannelModel; heardAtMs: number };

/** Keeps one subscription to the queue of orders, and replaces it if it falls silent or the link reconnects. */
export type Subscriber = {
  /** Subscribes over a new connection. */
  open(model: ChannelModel): Promise<void>;
  /** The subscription that delivers now; none while the connection is lost. */
  current(): Session | undefined;
  /** Replaces a subscription that has been silent for `silentAfterMs`. @returns whether it was. */
  renewIfSilent(): Promise<boolean>;
  /** Ends the deliveries; delivered messages can still be settled. */
  cancel(session: Session): Promise<void>;
  close(session: Session): Promise<void>;
};

export type SubscriberOptions = {
  topology: Topology;
  timeoutMs: number;
  /** Messages that the broker delivers ahead of their settlement. */
  prefetchMax: number;
  stopping: AbortSignal;
  onMessage: (session: Session, message: ConsumeMessage) => void;
  onError: (error: unknown) => void;
};

// A renewal costs a dozen small frames if no message comes for this long; a lost subscription delays orders by this long.
export const silentAfterMs = 5000;

export function createSubscriber(options: SubscriberOptions): Subscriber {
  const { topology, timeoutMs, prefetchMax, stopping, onMessage, onError } = options;
  let current: Subscription | undefined;

  async function openChannel(model: ChannelModel): Promise<Subscription> {
    const channel = await model.createChannel();
    const state = { isOpen: true, consumerTags: [], inbox: [], held: 0, retrying: 0 };
    const opened: Subscription = { ...state, model, channel, heardAtMs: performance.now() };
    channel.on('error', onError);
    channel.on('close', () => {
      // If the subscription was already replaced, its end needs no action.
      if (opened.isOpen && !stopping.aborted) giveUp(opened);
      opened.isOpen = false;
    });
    await channel.prefetch(prefetchMax);
    return opened;
  }

  async function subscribe(opened: Subscription): Promise<void> {
    current = opened;
    opened.heardAtMs = performance.now();
    opened.consumerTags = [];
    for (const queue of [topology.parked, topology.orders]) {
      const receive = (message: ConsumeMessage | null) => {
        // The broker ends a subscription when its queue is deleted; a new connection declares it again.
        if (!message) return giveUp(opened);
        if (queue === topology.orders) opened.heardAtMs = performance.now();
        onMessage(opened, message);
      };
      opened.consumerTags.push((await opened.channel.consume(queue, receive)).consumerTag);
    }
  }

  /**
   * A queue that is deleted and declared again at once may leave behind a channel that the broker itself has subscribed to
   * the new queue (rabbit_channel.erl, handle_consuming_queue_down_or_eol) and whose deliveries it then drops. No error
   * reports this: the queue counts a consumer, and its messages count as delivered until the channel is closed.
   */
  async function renew(silent: Subscription): Promise<void> {
    await cancelAll(silent);
    // Messages that came meanwhile show that it works, and closing the channel would count them as delivered.
    if (silent.held > 0) return subscribe(silent);
    silent.isOpen = false;
    await silent.channel.close();
    if (!stopping.aborted) await subscribe(await openChannel(silent.model));
  }

  return {
    async open(model) {
      const opened = await openChannel(model);
      await declareTopology(opened.channel, topology);
      await subscribe(opened);
    },
    current: () => (current?.isOpen ? current : undefined),
    async renewIfSilent() {
      const silent = current;
      if (!silent || !isSilent(silent)) return false;
      const renewed = renew(silent).catch(() => giveUp(silent));
      if (!(await endsWithin(renewed, timeoutMs))) giveUp(silent);
      return true;
    },
    async cancel(session) {
      await endsWithin(cancelAll(session).catch(onError), timeoutMs);
    },
    async close({ channel }) {
      // If the connection breaks meanwhile, the broker's confirmation never comes.
      const closed = new Promise(resolve => channel.on('close', resolve));
      await endsWithin(Promise.race([channel.close().catch(onError), closed]), timeoutMs);
    },
  };
}

function isSilent({ isOpen, held, heardAtMs }: Subscription): boolean {
  return isOpen && held === 0 && performance.now() - heardAtMs >= silentAfterMs;
}

async function cancelAll({ channel, consumerTags }: Session): Promise<void> {
  await Promise.all(consumerTags.map(tag => channel.cancel(tag)));
}

/** The link opens another connection. Messages of this one that are not settled yet must no longer be settled on it. */
function giveUp(opened: Subscription): void {
  opened.isOpen = false;
  abandon(opened.model);
}
