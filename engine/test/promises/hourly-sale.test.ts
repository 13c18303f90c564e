import { expect, it } from 'vitest';
import { startTestApi } from '../support/api.js';
import { until } from '../support/condition.js';
import { createTestDatabase } from '../support/database.js';
import { createTestSale } from '../support/sale.js';

// The literal shapes of the hourly sale: docs/promises/hourly-sale.md.
it('the hourly sale gives a code for 15 minutes, redeems it, and answers 400, 409 and 429', async () => {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool, {
    allocation: 10,
    perUserLimit: 10,
    prizeOdds: 1,
  });
  const api = await startTestApi(url, {
    RATE_LIMIT_USER_MAX: '5',
    RATE_LIMIT_SERVICE: 'true',
    RATE_LIMIT_WINDOW_MS: '3600000',
  });
  const post = (path: string, body: unknown) => api.request('POST', path, { body });

  const held = await post('/api/checkout', { productId, quantity: 10, userId: 'ann' });
  expect(held.status).toBe(201);
  expect(held.body).toMatchObject({
    code: expect.any(String),
    expiresAt: expect.any(String),
    order: { quantity: 10 },
  });
  const ttlMs = Date.parse(`${held.body.expiresAt}`) - Date.parse(`${held.body.order?.createdAt}`);
  expect(ttlMs).toBe(15 * 60_000);
  const bought = await post('/api/purchase', { code: held.body.code, userId: 'ann' });
  expect(bought).toMatchObject({
    status: 200,
    body: { success: true, order: { status: 'CONFIRMED', prize: true } },
  });

  expect((await post('/api/checkout', { productId, quantity: -1, userId: 'bob' })).status).toBe(400);
  const answers = [];
  for (let turn = 0; turn < 6; turn++)
    answers.push(await post('/api/checkout', { productId, userId: 'bob' }));
  expect(answers.map(({ slug }) => slug)).toEqual([...Array(5).fill('sold-out'), 'rate-limited']);
  expect(answers.map(({ status }) => status)).toEqual([409, 409, 409, 409, 409, 429]);
  await until('every decided attempt is stored', async () => {
    const { body } = await api.asOperator('GET', `/api/admin/attempts/summary?saleId=${saleId}`);
    return Number(body.attempts) >= 6;
  });
});
