import { describe, expect, it } from 'vitest';
import type { Pool } from '../src/platform/postgres.js';
import { serviceHeaders, type TestApi } from './support/api.js';
import { startWithSale } from './support/attempt-rows.js';
import { until } from './support/condition.js';
import { createTestSale } from './support/sale.js';

describe('GET /api/attempts', () => {
  it("returns the shopper's own attempts, newest first, each with an explanation", async () => {
    const { api, pool, productId, saleId } = await startWithSale();
    const bought = await api.purchase({ productId, userId: 'me', quantity: 2, key: 'k' });
    await api.purchase({ productId, userId: 'me', quantity: 3 });
    await api.purchase({ productId, userId: 'another shopper' });
    await untilRows(pool, 3);

    const { body } = await ofShopper(api, 'me');

    const common = { productId, saleId, at: expect.any(String), durationMs: expect.any(Number) };
    expect(body.attempts).toEqual([
      {
        ...common,
        quantity: 3,
        outcome: 'limit-reached',
        orderId: null,
        message: expect.stringContaining('limit per buyer'),
      },
      {
        ...common,
        quantity: 2,
        outcome: 'confirmed',
        orderId: bought.body.order?.id,
        message: expect.stringContaining('confirmed'),
      },
    ]);
  });

  it('filters by product and accepts a limit', async () => {
    const { api, pool, productId } = await startWithSale();
    const other = await createTestSale(pool);
    await api.purchase({ productId, userId: 'me' });
    await api.purchase({ productId: other.productId, userId: 'me' });

    expect((await ofShopper(api, 'me', `?productId=${productId}`)).body.attempts).toMatchObject([
      { productId },
    ]);
    expect((await ofShopper(api, 'me', '?limit=1')).body.attempts).toMatchObject([
      { productId: other.productId },
    ]);
  });

  it("never returns another shopper's attempts", async () => {
    const { api, productId } = await startWithSale({ IDENTITY: 'demo' });
    await api.purchase({ productId, userId: 'victim' });
    const session = await api.request('POST', '/api/session', { headers: {} });
    const asShopper = { authorization: `Bearer ${String(session.body.token)}` };
    const asAnother = { ...asShopper, 'x-user-id': 'victim' };

    expect((await ofShopper(api, 'victim')).body.attempts).toHaveLength(1);
    expect((await ofShopper(api, 'another')).body).toEqual({ attempts: [] });
    expect((await api.request('GET', '/api/attempts', { headers: asShopper })).body).toEqual({
      attempts: [],
    });
    expect(await api.request('GET', '/api/attempts', { headers: asAnother })).toMatchObject({ status: 400 });
    expect(await api.request('GET', '/api/attempts?shopperId=victim', { headers: asShopper })).toMatchObject({
      status: 400,
      slug: 'invalid',
    });
    expect(await api.request('GET', '/api/attempts', { headers: {} })).toMatchObject({ status: 401 });
  });
});

/** Waits for the attempts to be written, which happens soon after their answers. */
async function untilRows(pool: Pool, count: number): Promise<void> {
  await until('the attempts are written', async () => {
    const { rows } = await pool.query('select from attempts');
    return rows.length === count;
  });
}

function ofShopper(api: TestApi, userId: string, query = '') {
  return api.request('GET', `/api/attempts${query}`, { headers: { ...serviceHeaders, 'x-user-id': userId } });
}
