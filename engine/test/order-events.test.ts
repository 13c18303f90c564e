import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Pool } from '../src/platform/postgres.js';
import { serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { type EventReader, readEvents, statuses } from './support/events.js';
import { createTestSale, tellStock } from './support/sale.js';

type Order = { orderId: string; saleId: number };

describe('the events of an order', () => {
  it('report each step within a second of its COMMIT, in order', async () => {
    const { pool, saleId, api } = await start();
    const order = await insertOrder(pool, saleId);
    const reader = await follow(api, order);
    await statuses(reader, 1);

    const delaysMs: number[] = [];
    for (let seq = 2; seq <= 10; seq++) {
      await step(pool, order, seq, `S${seq - 1}`, `S${seq}`);
      await tellStock(pool, saleId);
      const committedAtMs = performance.now();
      await statuses(reader, seq);
      delaysMs.push(performance.now() - committedAtMs);
    }

    expect(reader.events.map(({ id }) => Number(id))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    // The median, since a single delay may come from this machine. Without announcements each would be about a
    // second.
    expect(delaysMs.sort((a, b) => a - b)[4]).toBeLessThan(500);
  });

  it('say what happened and why, and continue briefly after the order ends', async () => {
    const { pool, saleId, api } = await start();
    const order = await insertOrder(pool, saleId);
    const reader = await follow(api, order);
    await step(pool, order, 2, 'QUEUED', 'RESERVED');
    await step(pool, order, 3, 'RESERVED', 'EXPIRED', 'not paid in time');
    await tellStock(pool, saleId);

    expect(await statuses(reader, 3)).toEqual(['QUEUED', 'RESERVED', 'EXPIRED']);
    expect(reader.isOver()).toBe(false);
    expect(reader.events.map(({ id, event }) => `${event} ${id}`)).toEqual([
      'status 1',
      'status 2',
      'status 3',
    ]);
    expect(JSON.parse(reader.events[2]?.data ?? '')).toEqual({
      orderId: order.orderId,
      status: 'EXPIRED',
      from: 'RESERVED',
      reason: 'not paid in time',
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    await until('the stream ends', reader.isOver);
    await step(pool, order, 4, 'EXPIRED', 'REFUNDED');
    expect(await statuses(await follow(api, order, '3'), 1)).toEqual(['REFUNDED']);
  });

  it('show the result of a purchase at once, and end for a reader that has seen everything', async () => {
    const { productId, saleId, api } = await start();
    const bought = await api.purchase({ productId, userId: 'a' });
    const order = { orderId: bought.body.order?.id ?? '', saleId };

    const reader = await follow(api, order);
    expect(await statuses(reader, 1)).toEqual(['CONFIRMED']);
    await until('the stream ends', reader.isOver);

    expect((await follow(api, order, '1')).status).toBe(204);
  });

  it('continue after the last event the reader has seen, without repeats or gaps', async () => {
    const { pool, saleId, api } = await start();
    const order = await insertOrder(pool, saleId);
    await step(pool, order, 2, 'QUEUED', 'RESERVED');
    const first = await follow(api, order);
    await statuses(first, 2);
    first.close();
    await step(pool, order, 3, 'RESERVED', 'EXPIRED');

    const [behind2, behind1, behind0] = [
      await follow(api, order, '2'),
      await follow(api, order, '1'),
      await follow(api, order, '0'),
    ];

    expect(await statuses(behind2, 1)).toEqual(['EXPIRED']);
    expect(await statuses(behind1, 2)).toEqual(['RESERVED', 'EXPIRED']);
    expect(await statuses(behind0, 3)).toEqual(['QUEUED', 'RESERVED', 'EXPIRED']);
    for (const reader of [behind2, behind1, behind0]) await until('it is over', reader.isOver);
  });

  it('each arrive once, however often they are announced', async () => {
    const { pool, saleId, api } = await start();
    const order = await insertOrder(pool, saleId);
    const reader = await follow(api, order);
    await statuses(reader, 1);

    for (let seq = 2; seq <= 20; seq++) {
      await step(pool, order, seq, `S${seq - 1}`, `S${seq}`);
      for (let times = 0; times < 5; times++) await tellStock(pool, saleId);
    }

    await statuses(reader, 20);
    expect(reader.events.map(({ id }) => Number(id))).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('arrive a second later when their announcement is lost', async () => {
    const { pool, saleId, api } = await start();
    const order = await insertOrder(pool, saleId);
    const reader = await follow(api, order);
    await statuses(reader, 1);

    await step(pool, order, 2, 'QUEUED', 'RESERVED');

    expect(await statuses(reader, 2)).toEqual(['QUEUED', 'RESERVED']);
  });

  it('arrive after a change of the stock, which is announced separately', async () => {
    const { pool, productId, saleId, api } = await start();
    const orders = [await insertOrder(pool, saleId), await insertOrder(pool, saleId)];
    const readers = [];
    for (const order of orders) readers.push(await follow(api, order));
    for (const reader of readers) await statuses(reader, 1);

    for (const order of orders) await step(pool, order, 2, 'QUEUED', 'RESERVED');
    await api.purchase({ productId, userId: 'another' });

    for (const reader of readers) expect(await statuses(reader, 2)).toEqual(['QUEUED', 'RESERVED']);
  });

  it('continue after the database was unreachable', async () => {
    const { pool, saleId, api } = await start();
    const order = await insertOrder(pool, saleId);
    const reader = await follow(api, order);
    await statuses(reader, 1);

    await pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
                      where datname = current_database() and pid <> pg_backend_pid()`);
    await step(pool, order, 2, 'QUEUED', 'RESERVED');

    expect(await statuses(reader, 2)).toEqual(['QUEUED', 'RESERVED']);
  });
});

describe("a reader of an order's events", () => {
  it('has to be its shopper', async () => {
    const { pool, saleId, api } = await start();
    const order = await insertOrder(pool, saleId);

    expect((await follow(api, order, undefined, 'b')).status).toBe(404);
    expect((await follow(api, { ...order, orderId: randomUUID() })).status).toBe(404);
    const { status } = await api.request('GET', `/api/orders/${order.orderId}/events`, { headers: {} });
    expect(status).toBe(401);
  });

  it('has to name an existing event, if any, and cannot request a stream with HEAD', async () => {
    const { pool, saleId, api } = await start();
    const order = await insertOrder(pool, saleId);

    for (const bad of ['2', '-1', '01', '1.5', 'x', '99999', '123456'])
      expect((await follow(api, order, bad)).status, bad).toBe(400);
    expect((await api.request('HEAD', `/api/orders/${order.orderId}/events`)).status).toBe(405);
  });

  it('may hold 20 streams', async () => {
    const { pool, saleId, api } = await start();
    const order = await insertOrder(pool, saleId);
    const readers: EventReader[] = [];
    for (let count = 1; count <= 20; count++) readers.push(await follow(api, order));

    expect(readers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    const headers = { ...serviceHeaders, 'x-user-id': 'a' };
    const refused = await api.request('GET', `/api/orders/${order.orderId}/events`, { headers });
    expect(refused).toMatchObject({ status: 429, slug: 'too-many-streams' });
    readers[0]?.close();
    await until('there is room', async () => (await follow(api, order)).status === 200);
  });
});

describe('a stream of events', () => {
  it('sends heartbeats while nothing happens', async () => {
    const { pool, saleId, api } = await start({ heartbeatEveryMs: 20 });
    const reader = await follow(api, await insertOrder(pool, saleId));

    await until('there are heartbeats', () => reader.comments.length >= 3);
  });

  it('does not delay a shutdown', async () => {
    const { pool, saleId, api } = await start();
    const reader = await follow(api, await insertOrder(pool, saleId));
    await statuses(reader, 1);

    const startedAtMs = performance.now();
    await api.drain();

    // Otherwise the streams would last until DRAIN_TIMEOUT_MS, ten seconds.
    expect(performance.now() - startedAtMs).toBeLessThan(5000);
    await until('the reader knows', reader.isOver);
  });
});

async function start(eventStreams: { heartbeatEveryMs?: number } = {}) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool);
  const api = await startTestApi(url, {}, { eventStreams });
  return { pool, productId, saleId, api };
}

function follow(api: TestApi, { orderId }: Order, lastEventId?: string, userId = 'a'): Promise<EventReader> {
  return readEvents(`${api.url}/api/orders/${orderId}/events`, {
    ...serviceHeaders,
    'x-user-id': userId,
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  });
}

/** An order of shopper `a` whose journal begins with QUEUED. */
async function insertOrder(pool: Pool, saleId: number): Promise<Order> {
  const order = { orderId: randomUUID(), saleId };
  await pool.query(
    `insert into orders (sale_id, order_id, shopper_id, quantity, price_minor, total_minor, status, created_at)
     values ($1, $2, 'a', 1, 1999, 1999, 'CONFIRMED', clock_timestamp())`,
    [saleId, order.orderId],
  );
  await step(pool, order, 1, 'NEW', 'QUEUED');
  return order;
}

async function step(
  pool: Pool,
  { orderId, saleId }: Order,
  seq: number,
  from: string,
  to: string,
  reason: string | null = null,
): Promise<void> {
  await pool.query(
    `insert into journal (sale_id, order_id, seq, from_status, to_status, quantity, reason, at)
     values ($1, $2, $3, $4, $5, 1, $6, clock_timestamp())`,
    [saleId, orderId, seq, from, to, reason],
  );
}
