import { describe, expect, it } from 'vitest';
import { startTestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
import { readProtection, untilProtection } from './support/protection.js';
import { createTestSale, lockStock, stockOf } from './support/sale.js';
import { openConnection, purchaseText } from './support/sockets.js';

describe('a purchase whose caller has disconnected', () => {
  // A caller that stays is the negative control: the same purchase is then decided.
  it.each([
    { goesAway: true, sold: 1 },
    { goesAway: false, sold: 2 },
  ])(
    'moves no stock if its caller disconnected before its batch was sealed (goes away: $goesAway)',
    async ({ goesAway, sold }) => {
      const { url, pool } = await createTestDatabase();
      const { saleId, productId } = await createTestSale(pool);
      const api = await startTestApi(url, { DECISION_DEADLINE_MS: '20000', DB_TIMEOUT: '20000' });
      const unlock = await lockStock(pool, saleId);
      // The first is sealed in its own batch, which hangs; the second waits behind it.
      const sealed = await openConnection(api.url);
      sealed.write(purchaseText(productId, 'sealed'));
      await untilProtection(api, 'the first is in progress', ({ inFlight }) => inFlight === 1);
      const waiting = await openConnection(api.url);
      waiting.write(purchaseText(productId, 'waiting'));
      await untilProtection(api, 'the second waits', view => view.inFlight === 2 && view.shedding.waitMs > 0);

      if (goesAway) waiting.socket.resetAndDestroy();
      // The server notices in its own time: a request that it answers after that came later.
      await api.request('GET', '/api/health');
      await api.request('GET', '/api/health');
      await unlock();

      await untilProtection(api, 'both are over', ({ inFlight }) => inFlight === 0);
      expect((await sealed.answer())?.status).toBe(200);
      expect(await stockOf(pool, saleId)).toMatchObject({ sold, available: 100 - sold });
      expect((await readProtection(api)).refused.abandoned).toBe(goesAway ? 1 : 0);
      const { rows } = await pool.query('select shopper_id from orders order by shopper_id');
      expect(rows).toHaveLength(sold);
    },
  );

  it('is refused when its own Request-Timeout is over, before the general deadline', async () => {
    const { url, pool } = await createTestDatabase();
    const { saleId, productId } = await createTestSale(pool);
    const api = await startTestApi(url, { DECISION_DEADLINE_MS: '20000', DB_TIMEOUT: '20000' });
    const unlock = await lockStock(pool, saleId);
    const sealed = api.purchase({ productId, userId: 'sealed' });
    await untilProtection(api, 'the first is in progress', ({ inFlight }) => inFlight === 1);
    const patient = api.purchase({ productId, userId: 'patient' });
    await untilProtection(api, 'the second is in progress', ({ inFlight }) => inFlight === 2);

    const hasty = await openConnection(api.url);
    hasty.write(purchaseText(productId, 'hasty', { 'request-timeout': '0.3' }));
    const answer = await hasty.answer();

    expect(answer?.status).toBe(503);
    // Those ahead of it in the queue go on waiting.
    expect((await readProtection(api)).inFlight).toBe(2);
    await unlock();
    expect([(await sealed).status, (await patient).status]).toEqual([200, 200]);
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: 2 });
  });

  it('must have its Request-Timeout in seconds above 0', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const api = await startTestApi(url);
    for (const [text, status] of [
      ['0', 400],
      ['0.000', 400],
      ['-1', 400],
      ['1e3', 400],
      ['soon', 400],
      ['2', 200],
      ['1.5', 200],
    ] as const) {
      const { write, answer } = await openConnection(api.url);
      write(purchaseText(productId, 'a', { 'request-timeout': text }));
      expect([text, (await answer())?.status]).toEqual([text, status]);
    }
  });
});
