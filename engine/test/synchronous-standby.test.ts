import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createSettle } from '../src/ledger/settle.js';
import { type Answer, serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { readEvents, statuses } from './support/events.js';
import { postOrder, queueOrder } from './support/queued.js';
import { createTestSale } from './support/sale.js';
import { type ReplicatedPostgres, startReplicatedPostgres } from './support/synchronous-standby.js';

let postgres: ReplicatedPostgres;
beforeAll(async () => {
  postgres = await startReplicatedPostgres();
});
afterEach(() => postgres.startStandby());
afterAll(() => postgres.remove());

// A request that needs the missing standby is refused within a second or two.
const impatient = { DECISION_DEADLINE_MS: '300', DB_TIMEOUT: '500' };
const asAda = { ...serviceHeaders, 'x-user-id': 'ada' };
const unknownSchema = z.looseObject({ orderId: z.uuid() });

/**
 * Retries until a COMMIT was sent and its outcome is unknown. On a busy machine, a try may be refused before that.
 *
 * @returns the id of the order.
 */
async function untilUnknown(ask: () => Promise<Answer>): Promise<string> {
  return until('the outcome is unknown', async () => {
    const { status, slug, body } = await ask();
    expect(status).toBe(503);
    return slug === 'outcome-unknown' ? unknownSchema.parse(body).orderId : undefined;
  });
}

/** The answers of each way to read an order. */
async function readEverywhere(api: TestApi, orderId: string): Promise<Record<string, number | undefined>> {
  const paths = [`/api/orders/${orderId}`, '/api/orders', '/api/attempts'];
  const answers = paths.map(path => api.request('GET', path, { headers: asAda }));
  const stream = await readEvents(`${api.url}/api/orders/${orderId}/events`, asAda);
  stream.close();
  const [one, orders, attempts] = (await Promise.all(answers)).map(({ status }) => status);
  return { one, orders, attempts, events: stream.status };
}

async function countWaiting(words: string): Promise<number> {
  const { rowCount } = await postgres.pool.query(
    `select from pg_stat_activity where wait_event = 'SyncRep' and strpos(query, $1) > 0`,
    [words],
  );
  return rowCount ?? 0;
}

describe('with a synchronous standby', () => {
  it('a retry of a queued order, and every read of it, acknowledge the order only once the standby has it', async () => {
    const { productId } = await createTestSale(postgres.pool);
    const api = await startTestApi(postgres.url, impatient);
    const order = { productId, userId: 'ada', key: 'queued' };
    await postgres.stopStandby();
    const orderId = await untilUnknown(() => postOrder(api, order));
    await until('its commit waits', async () => (await countWaiting('accept(')) > 0);
    // The order is on the primary's disk, and only there.
    await postgres.restartPrimary();
    await until('the retry has found it', async () => {
      const { slug } = await postOrder(api, order);
      expect(slug).toMatch(/outcome-unknown|overloaded/);
      return (await countWaiting('accept(')) > 0;
    });

    const refused = { one: 503, orders: 503, attempts: 503, events: 503 };
    expect(await readEverywhere(api, orderId)).toEqual(refused);
    // Nor do they keep waiting, each with a connection, after their callers have gone.
    await until('no read waits', async () => (await countWaiting('await_standby')) === 0);

    await postgres.startStandby();
    await until('the retry is acknowledged', async () => (await postOrder(api, order)).status === 202);
    expect(await postgres.standbyHas(orderId)).toBe(true);
    await until('every read is answered', async () => {
      return Object.values(await readEverywhere(api, orderId)).every(status => status === 200);
    });
  });

  it('a purchase whose wait for the standby is cancelled is never acknowledged, not even when it is sold out', async () => {
    const { productId } = await createTestSale(postgres.pool, { allocation: 1 });
    const api = await startTestApi(postgres.url, impatient);
    const purchase = { productId, userId: 'ada', key: 'last-unit' };
    await postgres.stopStandby();
    const answer = untilUnknown(() => api.purchase(purchase));
    await until('its commit is cancelled', async () => {
      const { rowCount } = await postgres.pool.query(
        `select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep' and query like '%decide%'`,
      );
      return rowCount === 1;
    });
    const orderId = await answer;

    await until('memory knows that nothing is left', async () => {
      const { body } = await api.request('GET', `/api/stock/${productId}`);
      return body.stock === 0;
    });
    expect(await untilUnknown(() => api.purchase(purchase))).toBe(orderId);

    await postgres.startStandby();
    await until('the retry is acknowledged', async () => (await api.purchase(purchase)).status === 200);
    expect(await postgres.standbyHas(orderId)).toBe(true);
  });

  it('a reader who follows an order learns of a change only once the standby has it', async () => {
    const { productId, saleId } = await createTestSale(postgres.pool);
    const api = await startTestApi(postgres.url);
    const orderId = await queueOrder(api, { productId, userId: 'ada' });
    const reader = await readEvents(`${api.url}/api/orders/${orderId}/events`, asAda);
    expect(await statuses(reader, 1)).toEqual(['QUEUED']);
    await postgres.stopStandby();
    // Committed without waiting.
    await createSettle(postgres.pool)(saleId, [{ event: 'cancel', orderId, shopperId: 'ada' }]);
    await until('the reading of the change waits', async () => (await countWaiting('journal')) === 1);
    expect(reader.events.length).toBe(1);

    await postgres.startStandby();

    expect(await statuses(reader, 2)).toEqual(['QUEUED', 'CANCELLED']);
  });
});
