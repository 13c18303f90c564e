import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operatorHeaders, serviceHeaders, startTestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { type EventReader, readEvents } from './support/events.js';
import { createTestSale } from './support/sale.js';

const frameSchema = z.looseObject({
  at: z.iso.datetime(),
  requests: z.looseObject({ perSecond: z.number(), p95Ms: z.number().nullable() }),
  orders: z.looseObject({ perSecond: z.number(), batchSize: z.number().nullable() }),
  outcomes: z.array(z.object({ outcome: z.string(), perSecond: z.number(), total: z.number() })),
  queue: z.looseObject({ ready: z.number() }).nullable(),
  stock: z
    .object({ sales: z.array(z.looseObject({ saleId: z.number(), available: z.number() })) })
    .nullable(),
});

describe('the live figures', () => {
  it('change with events, once a second, and are the same for all readers', async () => {
    const { pool, url } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool, { allocation: 5 });
    const api = await startTestApi(url);
    const readers = await Promise.all(
      [1, 2].map(() => readEvents(`${api.url}/api/admin/live`, operatorHeaders)),
    );
    for (const userId of ['a', 'b', 'c']) await api.purchase({ productId, userId });
    await api.purchase({ productId, userId: 'd', quantity: 9 });

    const frame = await until('the purchases are seen', () =>
      framesOf(readers[0]).find(
        ({ stock, outcomes }) => stock?.sales[0]?.available === 2 && outcomes.length > 0,
      ),
    );
    expect(framesOf(readers[0]).some(({ orders }) => orders.perSecond > 0)).toBe(true);
    expect(frame.stock?.sales).toMatchObject([{ saleId, allocation: 5, sold: 3 }]);
    expect(frame.requests.p95Ms).toBeGreaterThan(0);
    expect(frame.queue).toMatchObject({ ready: 0 });
    const totals = Object.fromEntries(frame.outcomes.map(({ outcome, total }) => [outcome, total]));
    expect(totals).toMatchObject({ confirmed: 3, 'sold-out': 1 });
    await until('both readers have it', () =>
      readers.every(reader => framesOf(reader).some(({ at }) => at === frame.at)),
    );
  });

  it('are for operators only, and for a limited number of readers', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url);
    const read = (headers: Record<string, string>) => readEvents(`${api.url}/api/admin/live`, headers);
    expect((await read({})).status).toBe(401);
    expect((await read(serviceHeaders)).status).toBe(403);
    const readers = await Promise.all(Array.from({ length: 20 }, () => read(operatorHeaders)));
    expect(new Set(readers.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await read(operatorHeaders)).status).toBe(429);
    for (const reader of readers) reader.close();
    await until('there is room again', async () => (await read(operatorHeaders)).status === 200);
  });
});

function framesOf(reader: EventReader | undefined) {
  return (reader?.events ?? []).map(({ data }) => frameSchema.parse(JSON.parse(data)));
}
