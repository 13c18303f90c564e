import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RabbitmqServer, startRabbitmq } from '../../drill/servers/rabbitmq.js';
import { orderIdOf } from '../../src/orders/order-id.js';
import { sleep } from '../../src/platform/backoff.js';
import type { Pool } from '../../src/platform/postgres.js';
import type { QueuedOrder } from '../../src/queue/queue.js';
import { createRabbitmqQueue } from '../../src/queue/rabbitmq-queue.js';
import { type Answer, serviceHeaders, startTestApi, type TestApi } from '../support/api.js';
import { expectCleanAudit } from '../support/audit.js';
import { until } from '../support/condition.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { decidedStandings, postOrder, queueOrder, standingOf } from '../support/queued.js';
import { startTestRoles } from '../support/roles.js';
import { createTestSale, stockOf } from '../support/sale.js';
import { type StoppablePostgres, startStoppablePostgres } from '../support/stoppable-postgres.js';

let rabbitmq: RabbitmqServer;
let postgres: StoppablePostgres;
beforeAll(async () => {
  [rabbitmq, postgres] = await Promise.all([startRabbitmq(), startStoppablePostgres()]);
}, 300_000);
afterAll(() => Promise.all([rabbitmq?.remove(), postgres?.remove()]));

describe('PostgreSQL stopped for 10 s while queued orders come in', () => {
  it('costs no order: every one that was accepted is decided afterwards, and exactly the allocation is sold', async () => {
    const { pool } = postgres;
    const { productId, saleId } = await createTestSale(pool, { allocation: 300, perUserLimit: 2 });
    const api = await startApi();
    await startTestRoles(postgres.url, ['worker', 'scheduler', 'compensator'], env());
    const shop = startShoppers(api, productId);
    await until('orders come in', () => shop.accepted.size >= 20);

    await postgres.stop();
    const stoppedAtMs = performance.now();
    const acceptedBefore = shop.accepted.size;
    await until('it has been down for 10 s', () => performance.now() - stoppedAtMs > 10_000, 15_000);
    const acceptedWhileDown = shop.accepted.size - acceptedBefore;
    await postgres.start();
    await until(
      'all of it is known',
      async () => (await countOrders(pool, saleId)) >= shop.accepted.size,
      20_000,
    );
    await shop.stop();

    const standings = await decidedStandings(pool, [...shop.accepted.keys()]);
    expect(acceptedWhileDown).toBeGreaterThan(300);
    expect(new Set(standings)).toEqual(new Set(['CONFIRMED', 'REJECTED sold-out']));
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: 300, available: 0, reserved: 0 });
    // What was refused at the edges of the outage was refused as what may pass by itself.
    expect([...shop.refused.keys()].filter(refusal => !/^503|sold-out/.test(refusal))).toEqual([]);
    expect((await pool.query('select from dead_letters')).rowCount).toBe(0);
    const acknowledged = [...shop.accepted].map(([orderId, shopperId]) => ({
      orderId,
      shopperId,
      quantity: 1,
    }));
    await expectCleanAudit(pool, acknowledged);
  }, 90_000);
});

describe('an order while PostgreSQL is down', () => {
  it('is taken up to a bound, answered soon, and once for a key; without a bound none is', async () => {
    const { pool } = postgres;
    const { productId, saleId } = await createTestSale(pool, { perAddressLimit: 5 });
    const [api, none] = await Promise.all([
      startApi({ QUEUED_WHILE_DOWN_MAX: '5' }),
      startApi({ QUEUED_WHILE_DOWN_MAX: '0' }),
    ]);
    await remember([api, none], productId);
    const worker = await startTestRoles(postgres.url, ['worker'], env());
    await worker.drain();
    const order = (userId: string, quantity = 1) => ({
      productId,
      userId,
      key: 'k',
      quantity,
      addressKey: 'x',
    });
    await postgres.stop();

    const first = await queueOrder(api, order('a'));
    const readyWithRoom = await api.request('GET', '/api/ready');
    const tookMs: number[] = [];
    for (const userId of ['b', 'c', 'd', 'e']) {
      const startedAtMs = performance.now();
      await queueOrder(api, order(userId));
      tookMs.push(performance.now() - startedAtMs);
    }
    const again = await postOrder(api, order('a'));
    const other = await postOrder(api, order('a', 2));
    const beyond = await postOrder(api, order('f'));
    const off = await postOrder(none, order('g'));
    const ready = [await api.request('GET', '/api/ready'), await none.request('GET', '/api/ready')];
    const read = await readOrder(api, first, 'a');
    await postgres.start();

    expect(tookMs.sort((a, b) => a - b)[2]).toBeLessThan(1000);
    expect(again).toMatchObject({ status: 202, body: { order_id: first, status: 'QUEUED' } });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(other).toMatchObject({ status: 422, slug: 'idempotency-key-reused' });
    expect(beyond).toMatchObject({ status: 503, slug: 'overloaded' });
    expect(Number(beyond.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(off).toMatchObject({ status: 503, slug: 'overloaded' });
    expect(readyWithRoom.status).toBe(200);
    expect(ready.map(({ status }) => status)).toEqual([503, 503]);
    expect(read).toMatchObject({ status: 503, slug: 'unavailable' });
    // Without any worker: the process that took them writes them down, and has room again.
    await until('they are in the ledger', async () => (await countOrders(pool, saleId)) === 5, 20_000);
    expect(await standingOf(api, first, 'a')).toBe('QUEUED');
    expect((await postOrder(api, order('a'))).headers.get('idempotency-replayed')).toBe('true');

    await startTestRoles(postgres.url, ['worker'], env());
    const ids = ['a', 'b', 'c', 'd', 'e'].map(userId => orderIdOf(userId, 'k'));
    expect(await decidedStandings(pool, ids)).toEqual(ids.map(() => 'CONFIRMED'));
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: 5 });
    await expectCleanAudit(pool);
  }, 60_000);

  it('survives the process that took it: a worker that starts meanwhile waits, and no delivery is held against it', async () => {
    const { pool } = postgres;
    const { productId, saleId } = await createTestSale(pool, { perAddressLimit: 20 });
    const api = await startApi({ DECISION_DEADLINE_MS: '300' });
    await remember([api], productId);
    const orders = Array.from({ length: 20 }, (_, i) => ({
      ...{ productId, userId: `shopper-${i}` },
      addressKey: 'one for all',
    }));
    const before = await Promise.all(orders.slice(0, 10).map(order => queueOrder(api, order)));
    await postgres.stop();
    const meanwhile = await Promise.all(orders.slice(10).map(order => queueOrder(api, order)));
    const ids = [...before, ...meanwhile];
    await api.drain();

    const worker = await startTestRoles(postgres.url, ['worker'], { ...env(), DECISION_DEADLINE_MS: '300' });
    const startedAtMs = performance.now();
    await until('it has found out', () => worker.log.some(line => line.includes('does not answer')), 20_000);
    // Far beyond the four tries after which an order is given up.
    await until('some time has passed', () => performance.now() - startedAtMs > 4000, 10_000);
    await postgres.start();

    await until('they are in the ledger', async () => (await countOrders(pool, saleId)) === 20, 20_000);
    expect(await decidedStandings(pool, ids)).toEqual(ids.map(() => 'CONFIRMED'));
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: 20 });
    expect((await pool.query('select from dead_letters')).rowCount).toBe(0);
    await expectCleanAudit(pool);
  }, 60_000);
});

describe('a PostgreSQL that falls silent', () => {
  it('is not waited for longer than the deadline: the order is taken, and decided once when the silence is over', async () => {
    const { pool } = postgres;
    const { productId, saleId } = await createTestSale(pool);
    const proxy = await startFaultProxy(postgres.url);
    const api = await startTestApi(proxy.url, { ...env(), DB_TIMEOUT: '500' });
    await remember([api], productId);

    proxy.setSilent(true);
    const startedAtMs = performance.now();
    const ids = await Promise.all(
      ['a', 'b'].map(userId => queueOrder(api, { productId, userId, key: `silence-${userId}` })),
    );
    const tookMs = performance.now() - startedAtMs;
    proxy.setSilent(false);
    await startTestRoles(postgres.url, ['worker'], env());

    // Half of the deadline, half a second to ask, and what a busy machine needs.
    expect(tookMs).toBeLessThan(4000);
    await until('they are in the ledger', async () => (await countOrders(pool, saleId)) === 2, 20_000);
    expect(await decidedStandings(pool, ids)).toEqual(['CONFIRMED', 'CONFIRMED']);
    await expectCleanAudit(pool);
  }, 60_000);
});

describe('a message with an order that is not in the ledger', () => {
  it('makes one order, however often it comes and whoever else writes it down', async () => {
    const { pool } = postgres;
    const { saleId, productId } = await createTestSale(pool);
    const api = await startApi();
    const written = await queueOrder(api, { productId, userId: 'written', key: `k-${saleId}` });
    const messages = ['a', 'b', 'c', 'written'].map(userId => lateOrder(saleId, userId, new Date()));

    const worker = await publishAndWork([...messages, ...messages, ...messages]);

    const ids = messages.map(({ orderId }) => orderId);
    await until('they are in the ledger', async () => (await countOrders(pool, saleId)) === 4, 20_000);
    expect(await decidedStandings(pool, ids)).toEqual(ids.map(() => 'CONFIRMED'));
    expect(ids).toContain(written);
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: 4 });
    await worker.drain();
    await expectCleanAudit(pool);
  });

  it('is judged by when it was received: outside of the window it ends as rejected, with its journal and its attempts', async () => {
    const { pool } = postgres;
    const sale = await createTestSale(pool, { startsInMs: -60_000 });
    const { saleId } = sale;
    const early = lateOrder(saleId, 'early', new Date(sale.startsAt.getTime() - 1));
    const late = lateOrder(saleId, 'late', sale.endsAt);
    const first = lateOrder(saleId, 'first', sale.startsAt);
    const greedy = { ...lateOrder(saleId, 'greedy', new Date()), quantity: 11 };

    await publishAndWork([early, late, first, greedy]);

    await until('they are in the ledger', async () => (await countOrders(pool, saleId)) === 4, 20_000);
    const ids = [early, late, first, greedy].map(({ orderId }) => orderId);
    expect(await decidedStandings(pool, ids)).toEqual([
      'REJECTED sale-not-open',
      'REJECTED sale-not-open',
      'CONFIRMED',
      'REJECTED limit-reached',
    ]);
    expect(await lifeOf(pool, late.orderId)).toEqual([
      'NEW > QUEUED',
      'QUEUED > REJECTED',
      'queued',
      'sale-not-open',
    ]);
    await expectCleanAudit(pool);
  });

  it('is decided in a sale that is over meanwhile, and rejected in one that an operator has ended or left paused', async () => {
    const { pool } = postgres;
    const api = await startApi();
    const window = { startsInMs: -120_000, endsInMs: -60_000 };
    const [over, ended, paused] = [
      await createTestSale(pool, window),
      await createTestSale(pool),
      await createTestSale(pool, window),
    ];
    const endAs = (saleId: number, path: string) =>
      api.asOperator('POST', `/api/admin/sales/${saleId}/${path}`);
    expect((await endAs(ended.saleId, 'end')).status).toBe(200);
    expect((await endAs(paused.saleId, 'pause')).status).toBe(200);
    const scheduler = await startTestRoles(postgres.url, ['scheduler'], env());
    const areEnded = async () =>
      (
        await pool.query(`select from sales where sale_id = any ($1) and status = 'ended'`, [
          [over, ended, paused].map(({ saleId }) => saleId),
        ])
      ).rowCount === 3;
    await until('all three are ended', areEnded, 20_000);
    await scheduler.drain();
    const messages = [over, ended, paused].map(({ saleId, startsAt }) => lateOrder(saleId, 'a', startsAt));

    await publishAndWork(messages);

    const ids = messages.map(({ orderId }) => orderId);
    const areThere = async () =>
      (await pool.query('select from orders where order_id = any ($1)', [ids])).rowCount === 3;
    await until('they are in the ledger', areThere, 20_000);
    expect(await decidedStandings(pool, ids)).toEqual([
      'CONFIRMED',
      'REJECTED sale-not-open',
      'REJECTED sale-not-open',
    ]);
    await expectCleanAudit(pool);
  });
});

function env(): Record<string, string> {
  return { AMQP_URL: rabbitmq.url, AMQP_TIMEOUT: '3000' };
}

function startApi(more: Record<string, string> = {}): Promise<TestApi> {
  return startTestApi(postgres.url, { ...env(), ...more });
}

/** Has APIs know the product by heart, once they follow the ledger: when that begins they forget what they knew. */
async function remember(apis: readonly TestApi[], productId: number): Promise<void> {
  const follows = async () => {
    const { rows } = await postgres.pool.query<{ count: number }>(
      `select count(*) as count from pg_stat_activity
       where state = 'idle' and query like 'select extract(epoch from clock\\_timestamp())%'`,
    );
    return rows[0]?.count === apis.length;
  };
  await until('they follow the ledger', follows, 20_000);
  for (const api of apis) {
    expect((await api.request('GET', `/api/products/${productId}`)).status).toBe(200);
  }
}

/** Shoppers who order one unit each, one after the other; every fifth order is sent twice with its key. */
function startShoppers(api: TestApi, productId: number) {
  const accepted = new Map<string, string>();
  const refused = new Map<string, number>();
  let isOver = false;

  async function send(userId: string): Promise<void> {
    const { status, slug, body } = await postOrder(api, { productId, userId, key: 'k' });
    if (status !== 202) refused.set(`${status} ${slug}`, (refused.get(`${status} ${slug}`) ?? 0) + 1);
    else accepted.set(String(body.order_id), userId);
  }

  const shopping = Promise.all(
    ['a', 'b', 'c', 'd', 'e'].map(async name => {
      for (let i = 0; !isOver; i++) {
        await send(`${name}-${i}`);
        if (i % 5 === 0) await send(`${name}-${i}`);
        await sleep(10);
      }
    }),
  );
  return {
    accepted,
    refused,
    async stop() {
      isOver = true;
      await shopping;
    },
  };
}

function lateOrder(saleId: number, shopperId: string, receivedAt: Date): QueuedOrder {
  const late = { receivedAt: receivedAt.toISOString() };
  return { orderId: orderIdOf(shopperId, `k-${saleId}`), saleId, shopperId, quantity: 1, late };
}

async function publishAndWork(messages: readonly QueuedOrder[]) {
  const queue = createRabbitmqQueue({ url: rabbitmq.url });
  await queue.publish(messages);
  await queue.close();
  return startTestRoles(postgres.url, ['worker'], env());
}

function readOrder(api: TestApi, orderId: string, userId: string): Promise<Answer> {
  return api.request('GET', `/api/orders/${orderId}`, {
    headers: { ...serviceHeaders, 'x-user-id': userId },
  });
}

async function countOrders(pool: Pool, saleId: number): Promise<number> {
  return (await pool.query('select from orders where sale_id = $1', [saleId])).rowCount ?? 0;
}

/** What the journal and the attempts say of an order. */
async function lifeOf(pool: Pool, orderId: string): Promise<string[]> {
  const { rows } = await pool.query<{ step: string }>(
    `select step from (
       select from_status || ' > ' || to_status as step, seq::integer as position from journal where order_id = $1
       union all select outcome, 100 from attempts where order_id = $1
     ) steps order by position, step`,
    [orderId],
  );
  return rows.map(({ step }) => step);
}
