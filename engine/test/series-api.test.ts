import { describe, expect, it } from 'vitest';
import { seedCatalog } from '../src/catalog/seed.js';
import { startTestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

const hourMs = 3_600_000;
const recurrence = { cron: '0 * * * *', timeZone: 'Europe/Berlin' };

describe('a repeating sale', () => {
  it('is created with its first window, listed, sold from, and ended by an operator', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { startsInMs: -48 * hourMs, endsInMs: -47 * hourMs });
    const api = await startTestApi(url);
    const startsAt = new Date(Math.floor(Date.now() / hourMs) * hourMs);
    const terms = {
      productId,
      startsAt: startsAt.toISOString(),
      endsAt: new Date(startsAt.getTime() + hourMs).toISOString(),
      allocation: 10,
      perUserLimit: 2,
      perPaymentLimit: 4,
      perAddressLimit: 6,
      payment: 'none',
      prizeOdds: 100,
      recurrence,
    };

    const created = await api.asOperator('POST', '/api/admin/sales', terms);
    const { series } = (await api.asOperator('GET', '/api/admin/series')).body;
    const stated = { paymentFingerprint: 'card', addressKey: 'home' };
    const { status } = await api.request('POST', '/api/purchase', {
      body: { productId, userId: 'a', ...stated },
    });
    const ended = await api.asOperator('POST', '/api/admin/series/1/end');

    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ seriesId: 1, recurrence, payment: 'none', prizeOdds: 100 });
    const limits = { perPaymentLimit: 4, perAddressLimit: 6 };
    expect(created.body).toMatchObject(limits);
    expect(series).toEqual([
      expect.objectContaining({
        ...limits,
        id: 1,
        productId,
        recurrence,
        durationSeconds: 3600,
        status: 'active',
      }),
    ]);
    expect(status).toBe(200);
    expect(ended).toMatchObject({ status: 200, body: { id: 1, status: 'ended' } });
    expect((await api.asOperator('POST', '/api/admin/series/2/end')).slug).toBe('series-not-found');
    const again = await api.asOperator('POST', '/api/admin/sales', terms);
    expect(again.slug).toBe('sale-overlaps');
  });

  it('that could not repeat is refused with the expected value', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const api = await startTestApi(url);
    const terms = {
      productId,
      startsAt: '2036-06-01T00:00:00Z',
      endsAt: '2036-06-01T01:00:01Z',
      allocation: 10,
      perUserLimit: 2,
      recurrence,
    };

    const tooLong = await api.asOperator('POST', '/api/admin/sales', terms);
    const nowhere = await api.asOperator('POST', '/api/admin/sales', {
      ...terms,
      recurrence: { ...recurrence, timeZone: 'Europe/Atlantis' },
    });

    expect(tooLong).toMatchObject({ status: 400, slug: 'invalid' });
    expect(tooLong.body.detail).toBe(
      'endsAt: expected at most 2036-06-01T01:00:00.000Z: a window ends before the next one begins',
    );
    expect(nowhere.body.detail).toBe('recurrence.timeZone: expected an IANA time zone such as Europe/Berlin');
  });
});

describe('the demo catalogue', () => {
  it('has four products; the fourth is on sale every hour, starting with the current one', async () => {
    const { url, pool } = await createTestDatabase();
    expect(await seedCatalog(pool)).toBe(4);
    expect(await seedCatalog(pool)).toBe(0);
    const api = await startTestApi(url);

    const { sale } = (await api.request('GET', '/api/products/4')).body;
    expect(sale).toMatchObject({
      state: 'open',
      perUserLimit: 10,
      prizeOdds: 100,
      recurrence: { cron: '0 * * * *', timeZone: 'UTC' },
    });
    expect((await api.request('GET', '/api/stock/4')).body).toMatchObject({ stock: 10_000 });
    expect((await api.request('GET', '/api/products/5')).status).toBe(404);
  });
});
