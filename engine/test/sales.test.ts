import { describe, expect, it } from 'vitest';
import { startTestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale, stockOf } from './support/sale.js';

describe('a sale', () => {
  it('can be created, paused, resumed and ended by an operator, and sells only while it is active', async () => {
    const { url, pool } = await createTestDatabase();
    const api = await startTestApi(url);
    const product = await api.asOperator('POST', '/api/admin/products', {
      name: 'Drop',
      priceMinor: 500,
      currency: 'EUR',
    });
    const productId = Number(product.body.id);
    const sale = await api.asOperator('POST', '/api/admin/sales', {
      productId,
      startsAt: new Date(Date.now() - 1000).toISOString(),
      endsAt: new Date(Date.now() + 60_000).toISOString(),
      allocation: 10,
      perUserLimit: 1,
    });
    const change = (verb: string) => api.asOperator('POST', `/api/admin/sales/${sale.body.id}/${verb}`);
    const buy = (userId: string) => api.purchase({ productId, userId });
    expect([product.status, sale.status]).toEqual([201, 201]);

    expect((await buy('a')).status).toBe(200);
    expect((await change('pause')).body).toMatchObject({ status: 'paused', state: 'paused' });
    expect((await buy('b')).slug).toBe('sale-not-open');
    expect((await change('resume')).body).toMatchObject({ status: 'active', state: 'open' });
    expect((await buy('b')).status).toBe(200);
    expect((await change('end')).body).toMatchObject({ status: 'ended', state: 'ended' });
    expect((await buy('c')).slug).toBe('sale-not-open');
    expect((await change('resume')).slug).toBe('sale-ended');
    expect((await change('end')).status).toBe(200);

    const { rows } = await pool.query('select from_status, to_status from sale_journal order by seq');
    expect(rows.map(row => Object.values(row).join(' '))).toEqual([
      'new active',
      'active paused',
      'paused active',
      'active ended',
    ]);
    await expectCleanAudit(pool);
  });

  it('sells nothing before it starts or after it is over', async () => {
    const { url, pool } = await createTestDatabase();
    const upcoming = await createTestSale(pool, { startsInMs: 60_000 });
    const over = await createTestSale(pool, { startsInMs: -60_000, endsInMs: -1000 });
    const api = await startTestApi(url);

    for (const { productId, saleId } of [upcoming, over]) {
      expect((await api.purchase({ productId, userId: 'a' })).slug).toBe('sale-not-open');
      expect((await stockOf(pool, saleId)).sold).toBe(0);
    }
  });

  it("opens by the database's clock, at its start", async () => {
    const { url, pool } = await createTestDatabase();
    const api = await startTestApi(url);
    const { productId, startsAt } = await createTestSale(pool, { startsInMs: 1000, allocation: 1_000_000 });
    const answers: { status: number; sentAtMs: number; answeredAtMs: number }[] = [];

    while (Date.now() < startsAt.getTime() + 300) {
      const sentAtMs = Date.now();
      const { status } = await api.purchase({ productId, userId: `shopper-${answers.length}` });
      answers.push({ status, sentAtMs, answeredAtMs: Date.now() });
    }

    // Test and database share a clock here. A purchase answered before the start is refused; one sent after it
    // sells.
    const early = answers.filter(({ answeredAtMs }) => answeredAtMs < startsAt.getTime());
    const late = answers.filter(({ sentAtMs }) => sentAtMs > startsAt.getTime());
    expect([...new Set(early.map(({ status }) => status))]).toEqual([409]);
    expect([...new Set(late.map(({ status }) => status))]).toEqual([200]);
  });

  it('does not overlap another sale of its product, unless that one has ended', async () => {
    const { url, pool } = await createTestDatabase();
    const first = await createTestSale(pool);
    const api = await startTestApi(url);
    const again = () =>
      api.asOperator('POST', '/api/admin/sales', {
        productId: first.productId,
        startsAt: new Date(Date.now() - 1000).toISOString(),
        endsAt: new Date(Date.now() + 60_000).toISOString(),
        allocation: 10,
        perUserLimit: 1,
      });

    expect((await again()).slug).toBe('sale-overlaps');
    await api.asOperator('POST', `/api/admin/sales/${first.saleId}/end`);
    expect((await again()).status).toBe(201);
    expect((await api.purchase({ productId: first.productId, userId: 'a' })).status).toBe(200);
  });

  it('lets no purchase through that is decided after the answer to a pause, under load', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool, { allocation: 1_000_000 });
    const api = await startTestApi(url);
    let isRunning = true;
    const load = Array.from({ length: 20 }, async (_, shopper) => {
      for (let i = 0; isRunning; i++) await api.purchase({ productId, userId: `shopper-${shopper}-${i}` });
    });

    for (let round = 0; round < 5; round++) {
      await api.asOperator('POST', `/api/admin/sales/${saleId}/pause`);
      const { sold } = await stockOf(pool, saleId);
      await api.purchase({ productId, userId: `late-${round}` });
      expect((await stockOf(pool, saleId)).sold).toBe(sold);
      await api.asOperator('POST', `/api/admin/sales/${saleId}/resume`);
    }
    isRunning = false;
    await Promise.all(load);
    await expectCleanAudit(pool);
  });
});
