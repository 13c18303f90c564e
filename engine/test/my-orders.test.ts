import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { serviceHeaders, startTestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';
import { createShopper, heldBy } from './support/shopper.js';

const listSchema = z.looseObject({
  orders: z.array(z.looseObject({ id: z.uuid(), productId: z.number(), status: z.string() })),
});

describe('my orders', () => {
  it('are those of the calling shopper, from every way to buy, newest first, without refused attempts', async () => {
    const { pool, url } = await createTestDatabase();
    const first = await createTestSale(pool, { perUserLimit: 3 });
    const second = await createTestSale(pool, { perUserLimit: 3 });
    const api = await startTestApi(url);
    const alice = createShopper(api, 'alice');
    const bob = createShopper(api, 'bob');

    const direct = await alice.purchase(first.productId, { key: 'one' });
    await alice.purchase(first.productId, { key: 'one' });
    await alice.purchase(first.productId, { quantity: 9, key: 'refused' });
    const { orderId: held } = heldBy(await alice.checkout(second.productId));
    const queued = await alice.order(first.productId, { key: 'queued' });
    await bob.purchase(first.productId);

    const mine = await list(api, 'alice');
    expect(mine.map(({ id, status }) => [id, status])).toEqual([
      [queued.body.order_id, 'QUEUED'],
      [held, 'RESERVED'],
      [direct.body.order?.id, 'CONFIRMED'],
    ]);
    expect((await list(api, 'alice', `?productId=${second.productId}`)).map(({ id }) => id)).toEqual([held]);
    expect(await list(api, 'alice', '?limit=1')).toHaveLength(1);
    expect(await list(api, 'bob')).toHaveLength(1);
    expect(await list(api, 'carol')).toEqual([]);
  });

  it('are private: without a shopper there is no list', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url);
    expect((await api.request('GET', '/api/orders', { headers: {} })).slug).toBe('not-authenticated');
    expect((await api.request('GET', '/api/orders')).slug).toBe('invalid');
  });
});

async function list(api: Awaited<ReturnType<typeof startTestApi>>, shopper: string, query = '') {
  const answer = await api.request('GET', `/api/orders${query}`, {
    headers: { ...serviceHeaders, 'x-user-id': shopper },
  });
  return listSchema.parse(answer.body).orders;
}
