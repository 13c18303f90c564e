import { expect, it } from 'vitest';
import { startTestApi } from '../support/api.js';
import { createTestDatabase } from '../support/database.js';

// The literal shapes of the sequential user ids: docs/promises/user-ids.md.
it('user ids are given singly and in batches, in perfect order, with their own health check', async () => {
  const { url } = await createTestDatabase();
  const api = await startTestApi(url);

  const first = await api.request('POST', '/api/users');
  const batch = await api.request('POST', '/api/users/batch', { body: { count: 100 } });
  const health = await api.request('GET', '/api/users/health');

  expect(first).toMatchObject({ status: 201, body: { id: 1 } });
  expect(batch.status).toBe(201);
  expect(batch.body).toEqual({ ids: Array.from({ length: 100 }, (_, position) => 2 + position) });
  expect(health).toMatchObject({ status: 200, body: { status: 'ok' } });
});
