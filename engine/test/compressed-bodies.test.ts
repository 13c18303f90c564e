import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { serviceHeaders, startTestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale, stockOf } from './support/sale.js';

it('a compressed body is refused with 415 and takes nothing, and a body marked identity is read', async () => {
  const { url, pool } = await createTestDatabase();
  const { saleId, productId } = await createTestSale(pool);
  const api = await startTestApi(url);
  const text = JSON.stringify({ productId, userId: 'a' });
  const send = async (path: string, encoding: string, body: string | Uint8Array) => {
    const headers = { ...serviceHeaders, 'content-type': 'application/json', 'content-encoding': encoding };
    const answer = await fetch(`${api.url}${path}`, { method: 'POST', headers, body });
    return [answer.status, /\/problems\/([a-z-]+)/.exec(await answer.text())?.[1]];
  };
  const refused = [415, 'unsupported-media-type'];
  expect(await send('/api/purchase', 'gzip', gzipSync(text))).toEqual(refused);
  // Only the header counts, whatever the bytes are.
  expect(await send('/api/purchase', 'br', text)).toEqual(refused);
  expect((await stockOf(pool, saleId)).sold).toBe(0);
  expect(await send('/api/purchase', 'identity', text)).toEqual([200, undefined]);
});
