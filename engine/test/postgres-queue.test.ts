import { describe, expect, it, onTestFinished } from 'vitest';
import { codeOf } from '../src/platform/errors.js';
import { connectionOptions, createPool, type Pool } from '../src/platform/postgres.js';
import type { OrderQueue } from '../src/queue/order-queue.js';
import { createPostgresQueue } from '../src/queue/postgres-queue.js';
import { until } from './support/condition.js';
import { testConfig } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { type FaultProxy, startFaultProxy } from './support/fault-proxy.js';
import { describeQueueContract } from './support/queue-contract.js';
import { createGate, isEmpty, order, orders, take } from './support/queue-taker.js';

// A statement whose reply was cut fails after this time plus the driver's one second.
const config = testConfig({ DB_TIMEOUT: '1000' });

describeQueueContract('the queue in PostgreSQL', async () => {
  const { url } = await createTestDatabase();
  return {
    async connect({ leaseMs = 30_000 } = {}) {
      const { queue, proxy } = await connectThroughProxy(url, leaseMs);
      return { queue, cut: () => proxy.setSilent(true), mend: () => proxy.setSilent(false) };
    },
  };
});

describe('a lost connection', () => {
  it('between fetch and settle: the batch is settled over another, and delivered once', async () => {
    const { url, pool } = await createTestDatabase();
    const { queue } = await connectThroughProxy(`${url}?application_name=victim`);
    const unharmed = openQueue(pool);
    const taker = take(queue, { batchMax: 10, before: () => terminate(pool, 'victim') });

    // Never a full batch, or the next one would be on its way when this connection is cut.
    for (let count = 5; count <= 50; count += 5) {
      await unharmed.publish(orders(5));
      await until('they are delivered', () => taker.deliveries.length === count, 20_000);
    }
    await until('the queue is empty', async () => isEmpty(await unharmed.depth()), 20_000);
    expect(taker.deliveries).toHaveLength(50);
  });

  it('after a settlement is committed, before its reply: nothing is redelivered, and nothing counts as lost', async () => {
    const { url, pool } = await createTestDatabase();
    const { queue, proxy } = await connectThroughProxy(url);
    await queue.publish(orders(50));

    proxy.cutReplyTo('settle-messages', 2);
    const taker = take(queue, { batchMax: 10 });

    await until('the queue is empty', async () => isEmpty(await openQueue(pool).depth()), 20_000);
    expect(proxy.cuts()).toBe(2);
    expect(taker.deliveries).toHaveLength(50);
    expect(taker.errors).not.toContainEqual(expect.objectContaining({ code: 'LEASE_LOST' }));
  });

  it('after a fetch is committed, before its reply: the messages arrive when their lease expires', async () => {
    const { url } = await createTestDatabase();
    const { queue, proxy } = await connectThroughProxy(url, 500);
    await queue.publish(orders(50));

    proxy.cutReplyTo('lease-messages', 2);
    const taker = take(queue, { batchMax: 10 });

    await until('all are delivered', () => taker.deliveries.length === 50, 20_000);
    expect(proxy.cuts()).toBe(2);
    expect(taker.deliveries.filter(({ deliveries }) => deliveries === 2)).toHaveLength(20);
  });

  it('after a publish is committed, before its reply: the error says to retry', async () => {
    const { url, pool } = await createTestDatabase();
    const { queue, proxy } = await connectThroughProxy(url);

    proxy.cutReplyTo('publish-messages', 1);
    await expect(queue.publish([order()])).rejects.toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      retryable: true,
    });

    expect((await openQueue(pool).depth()).ready).toBe(1);
  });
});

describe('publishing what PostgreSQL cannot store', () => {
  it('is refused as a whole, with the reason', async () => {
    const queue = openQueue((await createTestDatabase()).pool);

    await expect(queue.publish([order(), { ...order(), shopperId: 'nul\0' }])).rejects.toMatchObject({
      code: 'QUEUE_REFUSED',
      retryable: false,
    });

    expect((await queue.depth()).ready).toBe(0);
  });
});

describe('a waiting consumer', () => {
  it('is notified of a publish, long before it would poll', async () => {
    const { url, pool } = await createTestDatabase();
    const queue = openQueue(pool, url);
    const taker = take(queue);
    await until('it listens', async () => (await countListeners(pool)) === 1);

    const startedAtMs = performance.now();
    for (let i = 1; i <= 20; i++) {
      await queue.publish([order()]);
      await until('it is delivered', () => taker.deliveries.length === i);
    }

    // By polling once a second, 20 in a row would take 20 s.
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
  });

  it('finds published messages by polling when no notification arrives', async () => {
    const { pool } = await createTestDatabase();
    const queue = openQueue(pool);
    const taker = take(queue);
    for (let i = 1; i <= 2; i++) {
      await queue.publish([order()]);
      await until('it is delivered', () => taker.deliveries.length === i);
    }
  });
});

describe('a lease', () => {
  it('is renewed for a bounded time: a handler that is stuck is reported, and another takes its messages', async () => {
    const { pool } = await createTestDatabase();
    const stuck = createPostgresQueue({ pool, leaseMs: 100 });
    onTestFinished(() => stuck.close());
    const gate = createGate();
    await stuck.publish([order()]);
    const holder = take(stuck, { before: gate.pass });

    await until(
      'it is reported',
      () => holder.errors.some(error => codeOf(error) === 'HANDLER_STUCK'),
      20_000,
    );

    const heir = take(openQueue(pool));
    await until('another has it', () => heir.deliveries.length > 0);
  });

  it('has to be a whole number of milliseconds that can be stored', async () => {
    const { pool } = await createTestDatabase();
    for (const leaseMs of [0, 99, 1000.5, Number.NaN, 15 * 60_000 + 1]) {
      expect(() => createPostgresQueue({ pool, leaseMs })).toThrow(RangeError);
    }
  });
});

describe('a publish that commits late', () => {
  it('is delivered although later messages have overtaken it', async () => {
    const { pool } = await createTestDatabase();
    const queue = openQueue(pool);
    const late = await pool.connect();
    await late.query('begin');
    await late.query(`insert into queue_messages (order_id, sale_id, shopper_id, quantity)
                      values (gen_random_uuid(), 1, 'late', 1)`);
    await queue.publish(orders(10));
    const taker = take(queue);
    await until('the later ones are delivered', () => taker.deliveries.length === 10);

    await late.query('commit');
    late.release();

    await until('the late one is delivered', () => taker.deliveries.length === 11);
  });
});

describe('depth', () => {
  it('reports how long ago the oldest ready message was published', async () => {
    const { pool } = await createTestDatabase();
    const queue = openQueue(pool);
    await queue.publish(orders(2));
    await pool.query(`update queue_messages set published_at = clock_timestamp() - interval '1 minute'
                      where message_id = (select min(message_id) from queue_messages)`);

    const { oldestAgeMs } = await queue.depth();

    expect(oldestAgeMs).toBeGreaterThanOrEqual(60_000);
    expect(oldestAgeMs).toBeLessThan(90_000);
  });
});

/** A queue directly on the database, closed with the test. */
function openQueue(pool: Pool, listenUrl?: string): OrderQueue {
  const queue = createPostgresQueue({
    pool,
    ...(listenUrl && { listen: connectionOptions(listenUrl, config) }),
  });
  onTestFinished(() => queue.close());
  return queue;
}

async function connectThroughProxy(
  url: string,
  leaseMs = 30_000,
): Promise<{ queue: OrderQueue; proxy: FaultProxy }> {
  const proxy = await startFaultProxy(url);
  const pool = createPool(proxy.url, config);
  const queue = createPostgresQueue({ pool, listen: connectionOptions(proxy.url, config), leaseMs });
  onTestFinished(async () => {
    proxy.setSilent(false);
    await queue.close();
    await pool.end();
  });
  return { queue, proxy };
}

async function terminate(pool: Pool, name: string): Promise<void> {
  const { rowCount } = await pool.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1',
    [name],
  );
  expect(rowCount).toBeGreaterThan(0);
}

async function countListeners(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `select from pg_stat_activity where datname = current_database() and query = 'select 1'`,
  );
  return rowCount ?? 0;
}
