import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { serviceHeaders } from './support/api.js';
import { until } from './support/condition.js';
import { operatorToken } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { startRoleProcess } from './support/engine.js';
import { median } from './support/median.js';
import { createTestSale } from './support/sale.js';

const rounds = 11;
// The target is 100 ms; a machine busy with other tests may take longer. Without news, memory would correct itself
// by its own reading each second, after half a second on average.
const medianMaxMs = 200;

const stockSchema = z.object({ state: z.string() });
const checkoutSchema = z.object({ order: z.object({ id: z.string() }) });

describe('an event in one API process', () => {
  it('reaches another process soon: sold out, on sale again, paused, resumed', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool, { allocation: 1, perUserLimit: 1 });
    const [actor, watcher] = [await startRoleProcess('api', url), await startRoleProcess('api', url)];
    const stateSeen = async () =>
      stockSchema.parse(await call(watcher.url, 'GET', `/api/stock/${productId}`)).state;
    await until('the sale is known', async () => (await stateSeen()) === 'open');
    const delaysMs: Record<string, number[]> = {
      'sold out': [],
      'on sale again': [],
      paused: [],
      resumed: [],
    };
    const seen = async (news: string, state: string) => {
      const happenedAtMs = performance.now();
      await until(`${news} is seen`, async () => (await stateSeen()) === state, 20_000);
      delaysMs[news]?.push(performance.now() - happenedAtMs);
    };

    for (let round = 0; round < rounds; round++) {
      const userId = `shopper-${round}`;
      const checkout = await call(actor.url, 'POST', '/api/checkout', { productId, userId });
      await seen('sold out', 'sold-out');
      await call(
        actor.url,
        'DELETE',
        `/api/orders/${checkoutSchema.parse(checkout).order.id}`,
        undefined,
        userId,
      );
      await seen('on sale again', 'open');
      await call(actor.url, 'POST', `/api/admin/sales/${saleId}/pause`);
      await seen('paused', 'paused');
      await call(actor.url, 'POST', `/api/admin/sales/${saleId}/resume`);
      await seen('resumed', 'open');
    }

    const mediansMs = Object.entries(delaysMs).map(([news, each]) => [news, median(each)] as const);
    process.stdout.write(
      `medians of ${rounds}: ${mediansMs.map(([news, ms]) => `${news} ${ms.toFixed(1)} ms`).join(', ')}\n`,
    );
    for (const [news, ms] of mediansMs) expect(ms, news).toBeLessThan(medianMaxMs);
  }, 60_000);
});

async function call(
  url: string,
  method: string,
  path: string,
  body?: object,
  userId?: string,
): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(path.startsWith('/api/admin') ? { authorization: `Bearer ${operatorToken}` } : serviceHeaders),
      ...(body && { 'content-type': 'application/json' }),
      ...(userId && { 'x-user-id': userId }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  expect(answer.ok, `${method} ${path} ${answer.status}`).toBe(true);
  return answer.json();
}
