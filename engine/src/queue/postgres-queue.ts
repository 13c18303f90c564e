import type { ClientConfig } from 'pg';
import { classifyFailure } from '../ledger/failures.js';
import { messageOf, OperatingError } from '../platform/errors.js';
import { withHooks } from '../platform/hooks.js';
import { createListener, type Listener } from '../platform/listener.js';
import type { Pool } from '../platform/postgres.js';
import {
  checkBatchMax,
  checkPublishable,
  type OrderQueue,
  type QueuedOrder,
  type QueueHooks,
  queueClosed,
} from './order-queue.js';
import { type PostgresConsumer, startPostgresConsumer } from './postgres-consumer.js';
import { channel, createMessages } from './postgres-messages.js';

export type PostgresQueueOptions = {
  /** Owned by the caller, who ends it after the queue is closed. A consumer uses two connections. */
  pool: Pool;
  /** For a connection that listens for published messages. Without it, idle consumers poll once a second. */
  listen?: ClientConfig;
  /** How long the messages of a killed or suspended consumer stay leased. */
  leaseMs?: number;
  hooks?: QueueHooks;
};

// How long a killed worker's messages stay leased. It is ten times what a batch takes on a busy machine; a batch that takes
// longer renews its lease.
const leaseDefaultMs = 5000;
// Below the minimum, a lease could lapse between two renewals on a busy machine; above the maximum, a killed worker's
// messages would wait longer than any sale's hold lasts.
const leaseMinMs = 100;
const leaseMaxMs = 15 * 60_000;

/**
 * The queue in PostgreSQL: a table, leases, SKIP LOCKED (docs/decisions/0009-queue-in-postgresql.md).
 *
 * @throws RangeError for an invalid `leaseMs`.
 */
export function createPostgresQueue({
  pool,
  listen,
  leaseMs = leaseDefaultMs,
  hooks = {},
}: PostgresQueueOptions): OrderQueue {
  if (!Number.isInteger(leaseMs) || leaseMs < leaseMinMs || leaseMs > leaseMaxMs) {
    throw new RangeError(
      `leaseMs is ${leaseMs} but must be a whole number from ${leaseMinMs} to ${leaseMaxMs}`,
    );
  }
  const messages = createMessages(pool, leaseMs);
  const consumers = new Map<PostgresConsumer, (error: unknown) => void>();
  let listener: Listener | undefined;
  let isClosed = false;

  const wakeAll = () => {
    for (const consumer of consumers.keys()) consumer.wake();
  };
  const follow = (connection: ClientConfig) =>
    createListener({
      connection,
      channels: [channel],
      onNotification: wakeAll,
      // For messages that were published while no connection listened.
      onConnect: async () => wakeAll(),
      onHeartbeat: async db => void (await db.query('select 1')),
      onError: error => {
        for (const onError of consumers.values()) onError(error);
      },
    });

  async function publish(published: readonly QueuedOrder[]): Promise<void> {
    if (isClosed) throw queueClosed();
    checkPublishable(published);
    if (published.length > 0) await messages.publish(published).catch(throwTyped);
  }

  return {
    publish: published => withHooks(hooks.publishing ?? [], published, publish),
    consume(options) {
      if (isClosed) throw queueClosed();
      checkBatchMax(options.batchMax);
      const consumer = startPostgresConsumer(messages, leaseMs, { ...options, hooks: hooks.handling });
      consumers.set(consumer, options.onError);
      if (listen) listener ??= follow(listen);
      return {
        async stop() {
          await consumer.stop();
          consumers.delete(consumer);
        },
      };
    },
    depth: messages.depth,
    async close() {
      isClosed = true;
      await Promise.all([...consumers.keys()].map(consumer => consumer.stop()));
      consumers.clear();
      await listener?.close();
    },
  };
}

function throwTyped(cause: unknown): never {
  if (classifyFailure(cause) === 'bad-row') {
    throw new OperatingError(
      'QUEUE_REFUSED',
      `PostgreSQL refuses to store a message: ${messageOf(cause)}`,
      'Publish the messages one by one to find the bad one, and correct it',
      { cause },
    );
  }
  throw new OperatingError(
    'QUEUE_UNAVAILABLE',
    `The messages could not be published: ${messageOf(cause)}`,
    'Publish them again; a message that is delivered twice has one effect',
    { cause, retryable: true },
  );
}
