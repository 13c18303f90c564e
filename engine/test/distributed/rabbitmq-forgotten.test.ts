import { type Channel, connect } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { spawnEngine } from '../../drill/engine-process.js';
import { type RabbitmqServer, startRabbitmq } from '../../drill/servers/rabbitmq.js';
import { sleep } from '../../src/platform/backoff.js';
import type { Pool } from '../../src/platform/postgres.js';
import type { OrderQueue } from '../../src/queue/order-queue.js';
import { createRabbitmqQueue } from '../../src/queue/rabbitmq-queue.js';
import { expectCleanAudit } from '../support/audit.js';
import { until } from '../support/condition.js';
import { createTestDatabase } from '../support/database.js';
import { acceptOrders, decidedStandings } from '../support/queued.js';
import { createTestSale } from '../support/sale.js';

let rabbitmq: RabbitmqServer;
beforeAll(async () => {
  rabbitmq = await startRabbitmq();
}, 300_000);
afterAll(() => rabbitmq.remove());

const orders = 'doorbuster.orders';
const backlog = 200;

describe('a scheduler in its own process, which never sees the queue empty', () => {
  it("publishes again what the broker lost, based on what the worker's process has seen", async () => {
    const { url, pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 1000, startsInMs: -120_000 });
    const queue = createRabbitmqQueue({ url: rabbitmq.url });
    onTestFinished(() => queue.close());
    const channel = await openChannel();
    const [decided] = await acceptOrders(pool, saleId, 1, queue);
    if (!decided) throw new Error('no order was accepted');
    await spawnRole('worker', url);
    await decidedStandings(pool, [decided.orderId]);
    const keepUp = keepBacklog(queue, { ...decided, saleId });
    await until('there is a backlog', async () => (await channel.checkQueue(orders)).messageCount >= backlog);
    await spawnRole('scheduler', url);
    await until('it leads', async () => (await pool.query('select from queue_watch')).rowCount === 1, 20_000);

    for (const lose of [() => channel.purgeQueue(orders), () => channel.deleteQueue(orders)]) {
      const accepted = await acceptOrders(pool, saleId, 3, queue);
      await lose();
      await keepUp.refill();
      // Their age exceeds the time that publishing may take, and stays below the scheduler's uptime.
      await pool.query(
        `update orders set created_at = created_at - interval '15 seconds' where status = 'QUEUED'`,
      );
      const ids = accepted.map(({ orderId }) => orderId);
      expect(await standingsOf(pool, ids)).toEqual(['QUEUED', 'QUEUED', 'QUEUED']);

      await until(
        'they are published again and decided',
        async () => isConfirmed(await standingsOf(pool, ids)),
        60_000,
      );
    }
    await keepUp.stop();
    await expectCleanAudit(pool);
  }, 180_000);
});

async function spawnRole(role: string, databaseUrl: string): Promise<void> {
  const started = spawnEngine([role], {
    ...process.env,
    NODE_ENV: 'development',
    LOG_LEVEL: 'warn',
    DATABASE_URL: databaseUrl,
    AMQP_URL: rabbitmq.url,
    API_KEY: 'test-api-key-00000000',
    OPERATOR_TOKEN: 'test-operator-token-00',
    // One message at a time, so that the backlog never empties.
    SECRET_KEY: 'test-secret-key-000000',
    DECISION_BATCH_MAX: '1',
    DB_POOL_MAX: '5',
    DB_POOL_MIN: '0',
  });
  onTestFinished(() => started.kill('SIGTERM').then(() => {}));
  await started.says(/is running/);
}

type Filler = { orderId: string; saleId: number; shopperId: string; quantity: number };

/** Keeps messages of an already decided order in front of the worker, more than it handles in a moment. */
function keepBacklog(queue: OrderQueue, filler: Filler) {
  let isOver = false;
  const refill = () => queue.publish(Array.from({ length: backlog }, () => filler)).catch(() => {});
  async function keep(): Promise<void> {
    while (!isOver) {
      const { ready } = await queue.depth();
      if (ready < backlog) await refill();
      else await sleep(5);
    }
  }
  const kept = keep();
  onTestFinished(() => {
    isOver = true;
  });
  return {
    refill,
    async stop() {
      isOver = true;
      await kept;
    },
  };
}

async function standingsOf(pool: Pool, orderIds: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<{ status: string }>(
    'select status from orders where order_id = any ($1::uuid[])',
    [orderIds],
  );
  return rows.map(({ status }) => status);
}

function isConfirmed(standings: readonly string[]): boolean {
  return standings.every(standing => standing === 'CONFIRMED');
}

async function openChannel(): Promise<Channel> {
  const connection = await connect(rabbitmq.url);
  onTestFinished(() => connection.close());
  return connection.createChannel();
}
