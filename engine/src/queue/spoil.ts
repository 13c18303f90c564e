import { OperatingError } from '../platform/errors.js';
import type { Faults } from '../platform/faults.js';
import type { OrderQueue } from './queue.js';

// What a call to a real broker is given before it counts as failed.
const patienceMs = 5000;
const againInMs = 500;

/**
 * Lets the faults that are set at the queue meet what is published, and each batch before it is handled. A batch that meets
 * one comes again as if it had not been delivered: no message is to blame for it.
 */
export function spoilQueue(queue: OrderQueue, faults: Faults): OrderQueue {
  return {
    ...queue,
    async publish(messages) {
      await faults.inject('queue', patienceMs)?.catch(throwUnavailable);
      await queue.publish(messages);
    },
    consume: options =>
      queue.consume({
        ...options,
        async handle(deliveries) {
          try {
            await faults.inject('queue', patienceMs);
          } catch (error) {
            options.onError(error);
            return deliveries.map(() => ({ laterInMs: againInMs }));
          }
          return options.handle(deliveries);
        },
      }),
  };
}

function throwUnavailable(cause: unknown): never {
  throw new OperatingError(
    'QUEUE_UNAVAILABLE',
    'A fault was set at the queue',
    'It ends by itself, or clear it',
    { cause, retryable: true },
  );
}
