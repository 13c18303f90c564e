import { describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './support/api.js';
import { operatorToken } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

const hourMs = 3_600_000;

describe('an operator', () => {
  it('lists sales of each state, newest first, page by page, with their stock', async () => {
    const { url, pool } = await createTestDatabase();
    const over = await createTestSale(pool, { startsInMs: -2 * hourMs, endsInMs: -hourMs });
    const open = await createTestSale(pool, { allocation: 7 });
    const paused = await createTestSale(pool);
    const upcoming = await createTestSale(pool, { startsInMs: hourMs, endsInMs: 2 * hourMs });
    const api = await startTestApi(url);
    await api.asOperator('POST', `/api/admin/sales/${paused.saleId}/pause`);
    // Paused before it begins, it is still upcoming.
    await api.asOperator('POST', `/api/admin/sales/${upcoming.saleId}/pause`);
    await api.purchase({ productId: open.productId, userId: 'a', quantity: 2 });

    for (const [state, { saleId }] of Object.entries({ ended: over, open, paused, upcoming })) {
      expect(await idsOf(api, `state=${state}`)).toEqual([saleId]);
    }
    const { body } = await api.asOperator('GET', '/api/admin/sales?limit=3');
    expect(body.next).toBe(open.saleId);
    expect(await idsOf(api, `before=${body.next}`)).toEqual([over.saleId]);
    expect(await idsOf(api, `productId=${open.productId}`)).toEqual([open.saleId]);
    expect((await api.asOperator('GET', `/api/admin/sales/${open.saleId}`)).body).toMatchObject({
      id: open.saleId,
      productName: 'Test product',
      state: 'open',
      priceMinor: 1999,
      allocation: 7,
      stock: 5,
      reserved: 0,
      sold: 2,
    });
    expect((await api.asOperator('GET', '/api/admin/sales/999')).slug).toBe('sale-not-found');
  });

  it('sees a change to a product at once; it applies to future sales only', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const api = await startTestApi(url);
    const path = `/api/admin/products/${productId}`;
    const picture = 'https://example.com/a.png';

    await api.asOperator('PATCH', path, { imageUrl: picture });
    const changed = await api.asOperator('PATCH', path, { name: 'Better', priceMinor: 5 });
    const offer = await api.request('GET', `/api/products/${productId}`);
    const bare = await api.asOperator('PATCH', path, { imageUrl: null });

    expect(changed.body).toMatchObject({ id: productId, name: 'Better', priceMinor: 5, imageUrl: picture });
    expect(offer.body).toMatchObject({ name: 'Better', priceMinor: 5, sale: { priceMinor: 1999 } });
    expect(bare.body).toMatchObject({ name: 'Better', imageUrl: null });
    expect((await api.asOperator('PATCH', path, { imageUrl: 'javascript:1' })).slug).toBe('invalid');
    expect((await api.asOperator('PATCH', '/api/admin/products/999', {})).slug).toBe('product-not-found');
  });

  it('lists orders that match a filter, and exports them as a table that no spreadsheet executes', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool);
    const api = await startTestApi(url);
    const ids = [];
    for (const userId of ['a', 'b', '=cmd()']) {
      ids.push((await api.purchase({ productId, userId })).body.order?.id);
    }
    await api.request('POST', '/api/checkout', { body: { productId, userId: 'a' } });

    const count = async (query: string) => {
      const { body } = await api.asOperator('GET', `/api/admin/orders?${query}`);
      return [body.orders].flat().length;
    };
    expect(await count(`saleId=${saleId}`)).toBe(4);
    expect(await count(`saleId=${saleId}&shopperId=a`)).toBe(2);
    expect(await count(`saleId=${saleId}&status=RESERVED`)).toBe(1);
    expect(await count(`saleId=${saleId}&entrance=direct`)).toBe(3);
    expect(await count(`orderId=${ids[0]}`)).toBe(1);
    expect((await api.asOperator('GET', '/api/admin/orders?status=RESERVED')).body.detail).toBe(
      'saleId: expected a saleId or an orderId',
    );
    const headers = { authorization: `Bearer ${operatorToken}` };
    const table = await fetch(`${api.url}/api/admin/orders?saleId=${saleId}&format=csv&limit=3`, { headers });
    const lines = (await table.text()).trim().split('\r\n');
    expect(lines[0]).toBe(
      'id,saleId,productId,shopperId,quantity,totalMinor,currency,entrance,status,reason,createdAt,expiresAt,prize',
    );
    expect(lines).toHaveLength(4);
    expect(table.headers.get('link')).toMatch(/after=[0-9a-f-]{36}.*rel="next"/);
  });

  it('sees revenue in total, by day and by product, from bought orders that were not refunded', async () => {
    const { url, pool } = await createTestDatabase();
    const dear = await createTestSale(pool, { priceMinor: 1000, startsInMs: -50 * hourMs });
    const cheap = await createTestSale(pool, { priceMinor: 10 });
    const api = await startTestApi(url);
    await api.purchase({ productId: dear.productId, userId: 'a', quantity: 2 });
    const { order } = (await api.purchase({ productId: dear.productId, userId: 'b' })).body;
    for (const [table, column] of [
      ['orders', 'created_at'],
      ['journal', 'at'],
    ]) {
      const made = `update ${table} set ${column} = ${column} - interval '2 days' where order_id = $1`;
      await pool.query(made, [order?.id]);
    }
    await api.purchase({ productId: cheap.productId, userId: 'a', quantity: 3 });
    await api.request('POST', '/api/checkout', { body: { productId: cheap.productId, userId: 'c' } });

    const { body } = await api.asOperator('GET', '/api/admin/stats');

    expect(body).toMatchObject({
      totals: [{ currency: 'EUR', orders: 3, units: 6, revenueMinor: 3030 }],
      days: [{ revenueMinor: 1000 }, { revenueMinor: 2030 }],
      products: [
        { productId: dear.productId, units: 3, revenueMinor: 3000 },
        { productId: cheap.productId, units: 3, revenueMinor: 30 },
      ],
      tookMs: expect.any(Number),
    });
    const lately = await api.asOperator(
      'GET',
      `/api/admin/stats?from=${new Date(Date.now() - hourMs).toISOString()}`,
    );
    expect(lately.body.totals).toMatchObject([{ units: 5, revenueMinor: 2030 }]);
    const backwards = '/api/admin/stats?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z';
    expect((await api.asOperator('GET', backwards)).body.detail).toBe('to: expected a time after from');
    const century = '/api/admin/stats?from=1926-01-02T00:00:00Z&to=2026-01-01T00:00:00Z';
    expect((await api.asOperator('GET', century)).body.detail).toBe(
      'from: expected at most 366 days before to',
    );
  });
});

async function idsOf(api: TestApi, query: string): Promise<unknown[]> {
  const { body } = await api.asOperator('GET', `/api/admin/sales?${query}`);
  return [body.sales].flat().map(sale => Object(sale).id);
}
