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

// Bounds the memory that a broker which takes long can cost: some 10 MB.
const unconfirmedMax = 5 * publishMax;

/** Publishes over a connection of its own: one that publishes is blocked by the broker's alarms, those that consume are not. */
export function createPublisher(url: string, timeoutMs: number, topology: Topology): Publisher {
  const link = createLink({ url, timeoutMs, open });
  // What fails each publish that waits for its confirms.
  const waiting = new Set<(error: unknown) => void>();
  let unconfirmed = 0;

  async function open(model: ChannelModel) {
    const channel = await model.createConfirmChannel();
    const connection = { model, channel, isBlocked: false };
    channel.on('error', () => {});
    channel.on('close', () => abandon(model));
    // The queue is gone. Which of those under way it has met is not worth knowing; a new connection declares it again.
    channel.on('return', () => {
      failAll(new Error('the queue has been deleted'));
      abandon(model);
    });
    model.on('blocked', reason => {
      connection.isBlocked = true;
      failAll(new Error(`the broker takes nothing: ${reason}`));
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
      if (isBlocked) throw unavailable(new Error('the broker has raised an alarm and takes nothing'));
      if (unconfirmed + messages.length > unconfirmedMax) throw tooManyUnconfirmed();
      unconfirmed += messages.length;
      let fail = (_error: unknown) => {};
      const failed = new Promise<never>((_, reject) => {
        fail = reject;
      });
      waiting.add(fail);
      const silence = setTimeout(() => {
        fail(unavailable(new Error(`nothing was confirmed for ${timeoutMs} ms`)));
        abandon(model);
      }, timeoutMs);
      try {
        // A timer that has been cleared would be set anew by a confirm that comes late.
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

/** @param onConfirm told of each confirmed message. */
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
      // The channel was closed in this very turn.
      reject(unavailable(error));
    }
  });
}

function tooManyUnconfirmed(): OperatingError {
  return unavailable(new Error(`${unconfirmedMax} messages wait for its confirms already`));
}
