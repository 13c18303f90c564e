import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startTestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { type EventReader, readEvents } from './support/events.js';
import { createTestSale } from './support/sale.js';

const stockSchema = z.looseObject({ stock: z.number(), state: z.string(), now: z.iso.datetime() });

describe('the events of a stock', () => {
  it('begin with the current stock, and report each change to every reader within moments', async () => {
    const { pool, url } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { allocation: 3 });
    const api = await startTestApi(url);
    const readers = await Promise.all(
      Array.from({ length: 5 }, () => readEvents(`${api.url}/api/stock/${productId}/events`, {})),
    );
    for (const reader of readers) await seen(reader, 3, 'open');

    await api.purchase({ productId, userId: 'a', quantity: 2 });
    for (const reader of readers) await seen(reader, 1, 'open');
    await api.purchase({ productId, userId: 'b' });
    for (const reader of readers) await seen(reader, 0, 'sold-out');
  });

  it('report what another process has sold', async () => {
    const { pool, url } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { allocation: 3 });
    const [here, there] = [await startTestApi(url), await startTestApi(url)];
    const reader = await readEvents(`${here.url}/api/stock/${productId}/events`, {});
    await seen(reader, 3, 'open');
    await there.purchase({ productId, userId: 'a', quantity: 3 });
    await seen(reader, 0, 'sold-out');
  });

  it('say nothing while nothing changes, and stop reading once the last reader has left', async () => {
    const { pool, url } = await createTestDatabase();
    const quiet = await createTestSale(pool, { allocation: 3 });
    const busy = await createTestSale(pool, { allocation: 30 });
    const api = await startTestApi(url);
    const quietReader = await readEvents(`${api.url}/api/stock/${quiet.productId}/events`, {});
    const busyReader = await readEvents(`${api.url}/api/stock/${busy.productId}/events`, {});
    for (let stock = 29; stock > 24; stock--) {
      await api.purchase({ productId: busy.productId, userId: 'a' });
      await seen(busyReader, stock, 'open');
    }
    expect(quietReader.events).toHaveLength(1);
    quietReader.close();
    await api.purchase({ productId: busy.productId, userId: 'a' });
    await seen(busyReader, 24, 'open');
  });

  it('are limited per address; an IPv6 network has one limit for each /64', async () => {
    const { pool, url } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const limits = { eventStreams: { streamsPerShopperMax: 3 } };
    const api = await startTestApi(url, { TRUST_PROXY: '127.0.0.0/8' }, limits);
    const open = async (from: string) =>
      (await readEvents(`${api.url}/api/stock/${productId}/events`, { 'x-forwarded-for': from })).status;
    const statuses: number[] = [];
    for (const host of ['1', '2', '3', '4']) statuses.push(await open(`2001:db8:1:1::${host}`));
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect(await open('2001:db8:1:2::1')).toBe(200);
  });

  it('are 404 for a product without a sale', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url);
    expect(await api.request('GET', '/api/stock/99/events')).toMatchObject({
      status: 404,
      slug: 'sale-not-found',
    });
  });
});

async function seen(reader: EventReader, stock: number, state: string): Promise<void> {
  await until(
    `the stock is ${stock}`,
    () => {
      const last = reader.events.at(-1);
      const view = last && stockSchema.parse(JSON.parse(last.data));
      return view?.stock === stock && view.state === state;
    },
    20_000,
  );
}
