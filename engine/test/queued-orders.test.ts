import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Pool } from '../src/platform/postgres.js';
import { serviceHeaders, startTestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { decidedStandings, type NewOrder, postOrder, queueOrder, standingOf } from './support/queued.js';
import { startTestRoles } from './support/roles.js';
import { createTestSale, type SaleOptions, stockOf } from './support/sale.js';

describe('an accepted order', () => {
  it('is durable before its caller gets 202 with its address', async () => {
    const { pool, api, productId } = await start();

    const { status, body, headers } = await postOrder(api, { productId, userId: 'a', quantity: 2 });

    const { rows } = await pool.query('select order_id, status, shopper_id, quantity, entrance from orders');
    expect(status).toBe(202);
    expect(rows).toEqual([
      { order_id: body.order_id, status: 'QUEUED', shopper_id: 'a', quantity: 2, entrance: 'queued' },
    ]);
    expect(body).toEqual({ order_id: body.order_id, status: 'QUEUED', message: expect.any(String) });
    expect(headers.get('location')).toBe(`/api/orders/${body.order_id}`);
    expect(await messagesOf(pool)).toBe(1);
  });

  it('is visible on every node at once; an unknown id is 404, and so is the order for another shopper', async () => {
    const { url, api, productId } = await start();
    const other = await startTestApi(url);
    const orderId = await queueOrder(api, { productId, userId: 'a' });

    expect(await standingOf(other, orderId, 'a')).toBe('QUEUED');
    const ask = (id: string, userId: string) =>
      other.request('GET', `/api/orders/${id}`, { headers: { ...serviceHeaders, 'x-user-id': userId } });
    expect(await ask(randomUUID(), 'a')).toMatchObject({ status: 404, slug: 'order-not-found' });
    expect(await ask(orderId, 'b')).toMatchObject({ status: 404, slug: 'order-not-found' });
  });

  it("is one order per key, on every node; a direct purchase's key is refused", async () => {
    const { url, api, pool, productId } = await start();
    const other = await startTestApi(url);
    const order = { productId, userId: 'a', key: 'k' };
    const orderId = await queueOrder(api, order);

    const again = await postOrder(other, order);

    expect(again).toMatchObject({ status: 202, body: { order_id: orderId, status: 'QUEUED' } });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await messagesOf(pool)).toBe(1);
    expect((await api.purchase({ productId, userId: 'a', key: 'direct' })).status).toBe(200);
    for (const reused of [
      { ...order, key: 'direct' },
      { ...order, quantity: 2 },
    ]) {
      expect(await postOrder(api, reused)).toMatchObject({ status: 422, slug: 'idempotency-key-reused' });
    }
    const direct = await api.purchase({ productId, userId: 'a', key: 'k' });
    expect(direct).toMatchObject({ status: 422, slug: 'idempotency-key-reused' });
  });
});

describe('a worker', () => {
  it('confirms, or rejects with the reason, in the order of arrival', async () => {
    const { url, api, pool, productId, saleId } = await start({ allocation: 3, perUserLimit: 2 });
    const orders: NewOrder[] = [
      { productId, userId: 'a', quantity: 2 },
      { productId, userId: 'b', quantity: 2 },
      { productId, userId: 'a', quantity: 1 },
      { productId, userId: 'c', quantity: 1 },
    ];
    const orderIds: string[] = [];
    for (const order of orders) orderIds.push(await queueOrder(api, order));

    await startTestRoles(url, ['worker']);

    expect(await decidedStandings(pool, orderIds)).toEqual([
      'CONFIRMED',
      'REJECTED sold-out',
      'REJECTED limit-reached',
      'CONFIRMED',
    ]);
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 0, sold: 3 });
    await expectCleanAudit(pool);
  });

  it('confirms exactly the first 50 of 120 for 50 units', async () => {
    const { url, api, pool, productId, saleId } = await start({ allocation: 50 });
    const orderIds: string[] = [];
    for (let i = 0; i < 120; i++) orderIds.push(await queueOrder(api, { productId, userId: `s${i}` }));

    await startTestRoles(url, ['worker']);

    const standings = await decidedStandings(pool, orderIds);
    expect(standings).toEqual([...Array(50).fill('CONFIRMED'), ...Array(70).fill('REJECTED sold-out')]);
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 0, sold: 50 });
    await expectCleanAudit(pool);
  });

  it('never oversells next to direct purchases and a second worker', async () => {
    const { url, api, pool, productId, saleId } = await start({ allocation: 60 });
    await startTestRoles(url, ['worker']);
    await startTestRoles(url, ['worker']);

    const shoppers = Array.from({ length: 100 }, (_, i) => `s${i}`);
    const [queued, direct] = await Promise.all([
      Promise.all(shoppers.map(userId => postOrder(api, { productId, userId }))),
      Promise.all(shoppers.map(userId => api.purchase({ productId, userId }))),
    ]);

    await until('every order is decided', async () => (await countOf(pool, 'QUEUED')) === 0, 20_000);
    const bought = direct.filter(({ status }) => status === 200).length;
    expect(queued.every(({ status }) => status === 202 || status === 409)).toBe(true);
    expect(await countOf(pool, 'CONFIRMED')).toBe(60);
    expect(bought).toBeLessThanOrEqual(60);
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 0, sold: 60 });
    await expectCleanAudit(pool);
  });

  it('decides orders accepted in time, even after the window has closed', async () => {
    const { url, api, pool, productId, saleId } = await start();
    const orderId = await queueOrder(api, { productId, userId: 'a' });
    await pool.query('update sales set ends_at = clock_timestamp() where sale_id = $1', [saleId]);

    await startTestRoles(url, ['worker']);

    expect(await decidedStandings(pool, [orderId])).toEqual(['CONFIRMED']);
    await until(
      'the sale is over',
      async () => (await postOrder(api, { productId, userId: 'b' })).slug === 'sale-not-open',
    );
  });

  it('rejects the orders of a sale that an operator has ended', async () => {
    const { url, api, pool, productId, saleId } = await start();
    const orderId = await queueOrder(api, { productId, userId: 'a' });
    await api.asOperator('POST', `/api/admin/sales/${saleId}/end`);

    await startTestRoles(url, ['worker']);

    expect(await decidedStandings(pool, [orderId])).toEqual(['REJECTED sale-not-open']);
    await expectCleanAudit(pool);
  });

  it('leaves the orders of a paused sale waiting, however long, and decides them when it is resumed', async () => {
    const { url, api, pool, productId, saleId } = await start();
    const orderId = await queueOrder(api, { productId, userId: 'a' });
    await api.asOperator('POST', `/api/admin/sales/${saleId}/pause`);
    await startTestRoles(url, ['worker']);

    const looks = new Set<string>();
    await until(
      'the worker has looked three times',
      async () => looks.add(await nextLook(pool)).size > 3,
      10_000,
    );

    expect(await standingOf(api, orderId, 'a')).toBe('QUEUED');
    // These looks do not count: after 20 counted deliveries it would be a dead letter.
    const { rows } = await pool.query<{ deliveries: number }>('select deliveries from queue_messages');
    expect(rows[0]?.deliveries).toBeLessThanOrEqual(1);
    await api.asOperator('POST', `/api/admin/sales/${saleId}/resume`);
    expect(await decidedStandings(pool, [orderId])).toEqual(['CONFIRMED']);
  });
});

async function start(sale: SaleOptions = {}) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool, sale);
  return { url, pool, productId, saleId, api: await startTestApi(url) };
}

async function messagesOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('select count(*) as count from queue_messages');
  return rows[0]?.count ?? 0;
}

async function countOf(pool: Pool, status: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'select count(*) as count from orders where status = $1',
    [status],
  );
  return rows[0]?.count ?? 0;
}

async function nextLook(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ at: string }>(
    'select available_at::text as at from queue_messages where leased_by is null',
  );
  return rows[0]?.at ?? 'now';
}
