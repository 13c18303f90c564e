import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { startTestApi } from './support/api.js';
import { brokenInvariants, expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

describe('the limit per buyer', () => {
  it('holds when a buyer sends 40 purchases at once, most of them in one batch', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { perUserLimit: 3 });
    const api = await startTestApi(url);

    const answers = await Promise.all(
      Array.from({ length: 40 }, () => api.purchase({ productId, userId: 'greedy' })),
    );

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(answers.filter(({ slug }) => slug === 'limit-reached')).toHaveLength(37);
    await expectCleanAudit(pool);
  });

  it('counts units across several purchases and two processes', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { perUserLimit: 10 });
    const [one, other] = [await startTestApi(url), await startTestApi(url)];

    const first = await Promise.all([
      one.purchase({ productId, userId: 'buyer', quantity: 6 }),
      other.purchase({ productId, userId: 'buyer', quantity: 6 }),
    ]);
    const second = await one.purchase({ productId, userId: 'buyer', quantity: 4 });

    expect(first.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(second.status).toBe(200);
    await expectCleanAudit(pool);
  });

  it('refuses a purchase of more than the limit and takes nothing', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { perUserLimit: 2 });
    const api = await startTestApi(url);

    expect((await api.purchase({ productId, userId: 'buyer', quantity: 3 })).slug).toBe('limit-reached');
    expect((await api.purchase({ productId, userId: 'buyer', quantity: 2 })).status).toBe(200);
  });

  it('fails without its check: the negative control', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { perUserLimit: 3 });
    const sql = await readFile(new URL('../src/ledger/decide.sql', import.meta.url), 'utf8');
    const check =
      'v_request.units_before + v_taken[v_request.buyer_position] + v_request.quantity > v_sale.per_user_limit';
    expect(sql).toContain(check);
    await pool.query(sql.replace(check, 'false'));
    const api = await startTestApi(url);

    const answers = await Promise.all(
      Array.from({ length: 40 }, () => api.purchase({ productId, userId: 'greedy' })),
    );

    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(3);
    expect(await brokenInvariants(pool)).toContain(4);
  });
});
