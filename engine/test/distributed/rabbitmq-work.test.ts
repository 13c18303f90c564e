import { connect } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RabbitmqServer, startRabbitmq } from '../../drill/servers/rabbitmq.js';
import type { Pool } from '../../src/platform/postgres.js';
import { createRabbitmqQueue } from '../../src/queue/rabbitmq-queue.js';
import { expectCleanAudit } from '../support/audit.js';
import { until } from '../support/condition.js';
import { createTestDatabase } from '../support/database.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { acceptOrders } from '../support/queued.js';
import { startTestRoles } from '../support/roles.js';
import { createTestSale, lockStock, stockOf } from '../support/sale.js';

let rabbitmq: RabbitmqServer;
beforeAll(async () => {
  rabbitmq = await startRabbitmq();
}, 300_000);
afterAll(() => rabbitmq.remove());

describe('two workers that decide orders queued in RabbitMQ', () => {
  it('decide every accepted order once although RabbitMQ is killed and restarted in the middle', async () => {
    const { pool, saleId, queue, startWorkers } = await open(rabbitmq.url, 2500);
    const first = await acceptOrders(pool, saleId, 2000, queue);
    await startWorkers();
    await until('some are decided', async () => (await stockOf(pool, saleId)).sold > 0);

    await rabbitmq.kill();
    const second = await acceptOrders(pool, saleId, 500, queue);
    await rabbitmq.start();
    await tellAgain(pool);

    await untilDecided(pool);
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 0, sold: 2500 });
    await expectCleanAudit(pool, [...first, ...second]);
  }, 180_000);

  it('decide every accepted order once although each connection is dropped every 2 s for 20 s', async () => {
    const proxy = await startFaultProxy(rabbitmq.url);
    const { pool, saleId, queue, startWorkers } = await open(proxy.url, 100_000);
    await startWorkers();
    let drops = 0;
    const dropping = setInterval(() => {
      drops += 1;
      proxy.drop();
    }, 2000);
    onTestFinished(() => clearInterval(dropping));

    const accepted = [];
    while (drops < 10) accepted.push(...(await acceptOrders(pool, saleId, 100, queue)));
    clearInterval(dropping);
    await tellAgain(pool);

    await untilDecided(pool);
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: accepted.length });
    await expectCleanAudit(pool, accepted);
  }, 180_000);

  it('decide the 9,999 neighbours of a poison message, whose order becomes a dead letter with its reason', async () => {
    const { pool, saleId, queue, startWorkers } = await open(rabbitmq.url, 10_000);
    const accepted = await acceptOrders(pool, saleId, 10_000, queue);
    const poison = accepted[5000];
    await pool.query(
      `alter table orders add constraint poison
       check (shopper_id <> '${poison?.shopperId}' or status not in ('CONFIRMED', 'REJECTED'))`,
    );
    // Also a message that is not an order at all.
    const unreadable = await openChannel();
    unreadable.sendToQueue('doorbuster.orders', Buffer.from('{"orderId":'), { persistent: true });

    await startWorkers();

    await untilDecided(pool);
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 1, sold: 9999 });
    const { rows } = await pool.query('select order_id as "orderId", reason, deliveries from dead_letters');
    expect(rows).toEqual([{ orderId: poison?.orderId, reason: 'undecided', deliveries: 1 }]);
    const laidAside = async () => (await unreadable.checkQueue('doorbuster.orders.unreadable')).messageCount;
    await until('the unreadable message is set aside', async () => (await laidAside()) === 1);
    await expectCleanAudit(pool, accepted);
  }, 180_000);
});

describe('a sale whose stock is locked', () => {
  it('fails none of its orders in RabbitMQ: they back off, and are decided once the lock is free', async () => {
    const { pool, saleId, queue, startWorkers } = await open(rabbitmq.url, 50);
    const unlock = await lockStock(pool, saleId);
    const accepted = await acceptOrders(pool, saleId, 50, queue);
    await startWorkers({ DECISION_DEADLINE_MS: '100' });
    const channel = await openChannel();

    // The third backoff, of 4 s. Four deliveries used to be over within the second.
    const areResting = async () =>
      (await channel.checkQueue('doorbuster.orders.delay.5000')).messageCount > 0;
    await until('they back off for 4 s', areResting, 30_000);
    expect((await pool.query(`select from orders where status = 'QUEUED'`)).rowCount).toBe(50);
    await unlock();

    await untilDecided(pool);
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 0, sold: 50 });
    expect((await pool.query('select from dead_letters')).rowCount).toBe(0);
    await expectCleanAudit(pool, accepted);
  }, 180_000);
});

async function open(url: string, allocation: number) {
  const database = await createTestDatabase();
  const { pool } = database;
  const { saleId } = await createTestSale(pool, { allocation });
  const queue = createRabbitmqQueue({ url });
  onTestFinished(() => queue.close());
  const env = { AMQP_URL: url };
  return {
    pool,
    saleId,
    queue,
    async startWorkers(more: Record<string, string> = {}) {
      await startTestRoles(database.url, ['worker', 'scheduler', 'compensator'], { ...env, ...more });
      await startTestRoles(database.url, ['worker'], { ...env, ...more });
    },
  };
}

async function openChannel() {
  const connection = await connect(rabbitmq.url);
  onTestFinished(() => connection.close());
  return connection.createChannel();
}

/** Makes the orders old: an order is published again once it is older than publishing ever takes. */
async function tellAgain(pool: Pool): Promise<void> {
  await pool.query(`update orders set created_at = created_at - interval '1 minute' where status = 'QUEUED'`);
}

async function untilDecided(pool: Pool): Promise<void> {
  const areDecided = async () =>
    (await pool.query(`select from orders where status = 'QUEUED' limit 1`)).rowCount === 0;
  await until('all are decided', areDecided, 90_000);
}
