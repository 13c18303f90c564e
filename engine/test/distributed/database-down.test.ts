import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RabbitmqServer, startRabbitmq } from '../../drill/servers/rabbitmq.js';
import { orderIdOf } from '../../src/orders/order-id.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { expectCleanAudit } from '../support/audit.js';
import { until } from '../support/condition.js';
import { decidedStandings, postOrder, queueOrder } from '../support/queued.js';
import { startTestRoles } from '../support/roles.js';
import { createTestSale, stockOf } from '../support/sale.js';
import { type StoppablePostgres, startStoppablePostgres } from '../support/stoppable-postgres.js';

let rabbitmq: RabbitmqServer;
let postgres: StoppablePostgres;
beforeAll(async () => {
  [rabbitmq, postgres] = await Promise.all([startRabbitmq(), startStoppablePostgres()]);
}, 300_000);
afterAll(() => Promise.all([rabbitmq?.remove(), postgres?.remove()]));

describe('an engine with a queue in RabbitMQ, while PostgreSQL is down', () => {
  it('accepts no order: every 202 is in the ledger, and a waiting worker decides all of them', async () => {
    const { pool } = postgres;
    const { productId, saleId } = await createTestSale(pool);
    const api = await startApi();
    const before = await Promise.all(['a', 'b', 'c'].map(userId => queueOrder(api, { productId, userId })));
    await postgres.stop();

    const meanwhile = await Promise.all(
      ['d', 'e', 'f'].map(userId => postOrder(api, { productId, userId, key: userId })),
    );
    const worker = await startTestRoles(postgres.url, ['worker'], env());
    await until('it has noticed', () => worker.log.some(line => line.includes('does not answer')), 20_000);
    const ready = await api.request('GET', '/api/ready');
    await postgres.start();

    expect(meanwhile.map(({ status, slug }) => `${status} ${slug}`)).toEqual(Array(3).fill('503 overloaded'));
    expect(ready.status).toBe(503);
    expect(await decidedStandings(pool, before)).toEqual(before.map(() => 'CONFIRMED'));
    // The same key can buy once PostgreSQL is back.
    const again = async () => (await postOrder(api, { productId, userId: 'd', key: 'd' })).status === 202;
    await until('the same key is accepted', again, 20_000);
    expect(await decidedStandings(pool, [orderIdOf('d', 'd')])).toEqual(['CONFIRMED']);
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: 4 });
    await expectCleanAudit(pool);
  }, 60_000);
});

describe('an engine whose PostgreSQL is back', () => {
  it('leaves no shopper of a sold-out sale without an outcome', async () => {
    const { productId } = await createTestSale(postgres.pool, { allocation: 1 });
    const api = await startApi();
    expect((await api.purchase({ productId, userId: 'first' })).status).toBe(200);
    const crowd = (wave: string) =>
      Promise.all(
        Array.from({ length: 10 }, async (_, i) => {
          const { status, slug } = await postOrder(api, { productId, userId: `${wave}-${i}`, key: 'k' });
          return slug ?? String(status);
        }),
      );
    const isSoldOut = (answers: readonly string[]) => answers.every(answer => answer === 'sold-out');
    await until('memory knows that it is sold out', async () => isSoldOut(await crowd('before')), 10_000);
    await postgres.stop();
    await crowd('meanwhile');
    await postgres.start();
    await until('it is ready', async () => (await api.request('GET', '/api/ready')).status === 200, 20_000);

    const heard: string[] = [];
    const hearsSoldOut = async () => {
      const answers = await crowd(`after-${heard.length}`);
      heard.push(...answers);
      return isSoldOut(answers);
    };
    await until('memory follows the ledger again', hearsSoldOut, 20_000);
    // Until then it lets requests pass, and a worker reports them.
    expect(heard.filter(answer => answer !== 'sold-out' && answer !== '202')).toEqual([]);
  }, 60_000);
});

function env(): Record<string, string> {
  return { AMQP_URL: rabbitmq.url, AMQP_TIMEOUT: '3000' };
}

function startApi(): Promise<TestApi> {
  return startTestApi(postgres.url, env());
}
