import type { OrderQueue } from '../queue/order-queue.js';
import { createPostgresQueue } from '../queue/postgres-queue.js';
import type { Foundation } from './foundation.js';
import { createQueueHooks } from './hooks/queue-hooks.js';

/** Creates the order queue that the settings select. */
export async function createOrderQueue(foundation: Foundation): Promise<OrderQueue> {
  const { config, pool, connection, tracing, faults } = foundation;
  if (config.AMQP_URL === undefined) {
    const hooks = createQueueHooks(tracing, 'postgresql', faults);
    return createPostgresQueue({ pool, listen: connection, hooks });
  }
  const { createRabbitmqQueue } = await import('../queue/rabbitmq-queue.js');
  const hooks = createQueueHooks(tracing, 'rabbitmq', faults);
  return createRabbitmqQueue({ url: config.AMQP_URL, timeoutMs: config.AMQP_TIMEOUT, hooks });
}
