import { expect, it } from 'vitest';
import { startTestApi } from '../support/api.js';
import { until } from '../support/condition.js';
import { createTestDatabase } from '../support/database.js';
import { createTestSale } from '../support/sale.js';

// The literal shapes of the gatekeeper: docs/promises/gatekeeper.md.
it('the gatekeeper prechecks, refuses with 409, and ends an order with a forced failure as FAILED', async () => {
  const { url, pool } = await createTestDatabase();
  const { productId } = await createTestSale(pool, { allocation: 2, perUserLimit: 1 });
  const roles = ['api', 'worker', 'compensator'] as const;
  const api = await startTestApi(url, { FAULTS_ENABLED: 'true' }, { roles });
  const asAnn = { headers: { authorization: 'Bearer test-api-key-000000', 'x-user-id': 'ann' } };

  const before = await api.request('GET', `/api/precheck?productId=${productId}`, asAnn);
  expect(before).toMatchObject({
    status: 200,
    body: { admitted: true, reason: null, message: expect.any(String) },
  });
  expect((await api.purchase({ productId, userId: 'ann' })).status).toBe(200);
  const again = await api.purchase({ productId, userId: 'ann' });
  expect(again).toMatchObject({ status: 409, slug: 'limit-reached', body: { success: false } });

  const body = { productId, userId: 'bob', forceFail: true };
  const taken = await api.request('POST', '/api/orders', { body });
  expect(taken).toMatchObject({ status: 202, body: { status: 'QUEUED' } });
  const asBob = { headers: { ...asAnn.headers, 'x-user-id': 'bob' } };
  const read = () => api.request('GET', `/api/orders/${taken.body.order_id}`, asBob);
  await until('it has failed', async () => (await read()).body.status === 'FAILED');
  const letters = await api.asOperator('GET', '/api/admin/dead-letters');
  expect(letters.body.deadLetters).toMatchObject([{ orderId: taken.body.order_id, status: 'COMPENSATED' }]);
  const stock = await api.request('GET', `/api/stock/${productId}`);
  expect(stock.body).toMatchObject({ stock: 1 });
});
