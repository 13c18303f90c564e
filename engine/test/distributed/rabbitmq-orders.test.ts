import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RabbitmqServer, startRabbitmq } from '../../drill/servers/rabbitmq.js';
import type { Pool } from '../../src/platform/postgres.js';
import { serviceHeaders, startTestApi, type TestApi } from '../support/api.js';
import { expectCleanAudit } from '../support/audit.js';
import { until } from '../support/condition.js';
import { createTestDatabase } from '../support/database.js';
import { createTestSale, stockOf } from '../support/sale.js';

let rabbitmq: RabbitmqServer;
beforeAll(async () => {
  rabbitmq = await startRabbitmq();
}, 300_000);
afterAll(() => rabbitmq.remove());

describe('orders queued in RabbitMQ', () => {
  it('are decided by a worker, and put nothing into the queue in the database', async () => {
    const { api, pool, productId, saleId } = await open();

    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, i) => accept(api, productId, `shopper-${i}`)),
    );

    await untilDecided(pool);
    expect(new Set(ids).size).toBe(20);
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: 20, available: 80 });
    expect((await pool.query('select from queue_messages')).rowCount).toBe(0);
    await expectCleanAudit(pool);
  });

  it('are accepted quickly while it is down, and published once it is back', async () => {
    const { api, pool, productId, saleId } = await open();
    await accept(api, productId, 'before');
    await untilDecided(pool);

    await rabbitmq.kill();
    const startedAtMs = performance.now();
    for (const shopper of ['a', 'b', 'c', 'd', 'e']) await accept(api, productId, shopper);
    // Only orders of the first moments wait for the broker.
    expect(performance.now() - startedAtMs).toBeLessThan(12_000);
    await rabbitmq.start();
    // Makes the orders old: an order is published again once it is older than publishing ever takes.
    await pool.query(
      `update orders set created_at = created_at - interval '1 minute' where status = 'QUEUED'`,
    );

    await untilDecided(pool);
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: 6 });
    await expectCleanAudit(pool);
  }, 120_000);
});

async function open() {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool);
  const env = { AMQP_URL: rabbitmq.url, AMQP_TIMEOUT: '3000' };
  const api = await startTestApi(url, env, { roles: ['api', 'worker', 'scheduler'] });
  return { api, pool, productId, saleId };
}

async function accept(api: TestApi, productId: number, shopperId: string): Promise<unknown> {
  const answer = await api.request('POST', '/api/orders', {
    body: { productId, userId: shopperId },
    headers: serviceHeaders,
  });
  expect(answer.status).toBe(202);
  return answer.body.order_id;
}

async function untilDecided(pool: Pool): Promise<void> {
  const areDecided = async () =>
    (await pool.query(`select from orders where status = 'QUEUED'`)).rowCount === 0;
  await until('all are decided', areDecided, 60_000);
}
