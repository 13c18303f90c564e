import { describe, expect, it } from 'vitest';
import { startTestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { untilProtection } from './support/protection.js';
import { createTestSale, lockStock, stockOf } from './support/sale.js';
import { openConnection, purchaseText } from './support/sockets.js';

describe('a caller that half-closes its connection after its request', () => {
  it('gets its answer, and the connection is closed after that', async () => {
    const { url, pool } = await createTestDatabase();
    const { saleId, productId } = await createTestSale(pool);
    const api = await startTestApi(url);
    for (const shopper of ['first', 'second', 'third']) {
      const { socket, answer } = await openConnection(api.url);
      socket.end(purchaseText(productId, shopper));
      expect((await answer())?.status).toBe(200);
      await until('it is closed', () => socket.destroyed);
    }
    expect((await stockOf(pool, saleId)).sold).toBe(3);
  });

  it('keeps its place for 3 s at most: it may have disconnected', async () => {
    const { url, pool } = await createTestDatabase();
    const { saleId, productId } = await createTestSale(pool);
    const api = await startTestApi(url, { DECISION_DEADLINE_MS: '20000', DB_TIMEOUT: '20000' });
    const unlock = await lockStock(pool, saleId);
    const { socket } = await openConnection(api.url);
    socket.end(purchaseText(productId, 'gone'));
    await untilProtection(api, 'it is in progress', ({ inFlight }) => inFlight === 1);
    await until('the server has disconnected', () => socket.destroyed, 10_000);
    await unlock();
  });
});
