import type { ChannelModel, ConfirmChannel } from 'amqplib';
import type { OperatingError } from '../platform/errors.js';
import { publishMax } from './order-queue.js';
import { abandon, createLink, unavailable } from './rabbitmq-link.js';
import type { Outgoing } from './rabbitmq-message.js';
import { declareTopology, type Topology } from './rabbitmq-topology.js';

export type Publisher = {
  /** Resolves when the broker has confirmed all of them. @throws OperatingError QUEUE_UNAVAILABLE or TOPOLOGY_CHANGED */
  publish(messages: readonly Outgoing[]): Promise<void>;
  close(): Promise<void>;
};

// Bounds the memory that a slow broker can cost: about 10 MB.
const unconfirmedMax = 5 * publishMax;

/** Publishes over its own connection, because the broker's alarms block publishing connections but not consuming ones. */
export function createPublisher(url: string, timeoutMs: number, topology: Topology): Publisher {
  const link = createLink({ url, timeoutMs, open });
  // Functions that fail each publish that waits for its confirms.
  const waiting = new Set<(error: unknown) => void>();
  let unconfirmed = 0;

  async function open(model: ChannelModel) {
    const channel = await model.createConfirmChannel();
    const connection = { model, channel, isBlocked: false };
    channel.on('error', () => {});
    channel.on('close', () => abandon(model));
    // The queue no longer exists. Which of the messages in flight were lost does not matter; a new connection declares
    // it again.
    channel.on('return', () => {
      failAll(new Error('the queue has been deleted'));
      abandon(model);
    });
    model.on('blocked', reason => {
      connection.isBlocked = true;
      failAll(new Error(`the broker accepts no messages: ${reason}`));
    });
    model.on('unblocked', () => {
      connection.isBlocked = false;
    });
    await declareTopology(channel, topology);
    return connection;
  }

  function failAll(error: Error): void {
    for (const fail of waiting) fail(unavailable(error));
  }

  return {
    async publish(messages) {
      const { model, channel, isBlocked } = await link.opened();
      if (isBlocked) throw unavailable(new Error('the broker has raised an alarm and accepts no messages'));
      if (unconfirmed + messages.length > unconfirmedMax) throw tooManyUnconfirmed();
      unconfirmed += messages.length;
      let fail = (_error: unknown) => {};
      const failed = new Promise<never>((_, reject) => {
        fail = reject;
      });
      waiting.add(fail);
      const silence = setTimeout(() => {
        fail(unavailable(new Error(`no message was confirmed for ${timeoutMs} ms`)));
        abandon(model);
      }, timeoutMs);
      try {
        // A late confirm would restart a cleared timer.
        const onConfirm = () => waiting.has(fail) && silence.refresh();
        await Promise.race([failed, confirmed(channel, messages, onConfirm)]);
      } finally {
        clearTimeout(silence);
        waiting.delete(fail);
        unconfirmed -= messages.length;
      }
    },
    close: link.close,
  };
}

/** @param onConfirm called for each confirmed message. */
function confirmed(
  channel: ConfirmChannel,
  messages: readonly Outgoing[],
  onConfirm: () => unknown,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = messages.length;
    const settle = (error: unknown) => {
      if (error) return reject(unavailable(error));
      left -= 1;
      onConfirm();
      if (left === 0) resolve();
    };
    try {
      for (const { queue, content, options } of messages)
        channel.publish('', queue, content, options, settle);
    } catch (error) {
      // The channel was closed in this turn of the event loop.
      reject(unavailable(error));
    }
  });
}

function tooManyUnconfirmed(): OperatingError {
  return unavailable(new Error(`${unconfirmedMax} messages already wait for its confirms`));
}
