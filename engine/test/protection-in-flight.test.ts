import { describe, expect, it } from 'vitest';
import { startTestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { readProtection, untilProtection } from './support/protection.js';
import { createTestSale, lockStock, stockOf } from './support/sale.js';
import { openConnection, openConnections, purchaseText, type RawAnswer } from './support/sockets.js';

describe('requests in flight', () => {
  // One sale gets nine tenths of the room. Without the bound, the negative control, every request is served.
  it.each([
    { inFlightMax: 500, served: 450 },
    { inFlightMax: 0, served: 1000 },
  ])(
    '1,000 purchases at once with MAX_IN_FLIGHT=$inFlightMax: $served are served, the rest are refused at once, and all are answered',
    async ({ inFlightMax, served }) => {
      const { url, pool } = await createTestDatabase();
      const { saleId, productId } = await createTestSale(pool, { allocation: 1000 });
      const api = await startTestApi(url, { MAX_IN_FLIGHT: String(inFlightMax) });
      // Shoppers have looked at the page, so the sale is in memory: a rush that waits for it to be read leaves no room.
      await api.request('GET', `/api/stock/${productId}`);
      const connections = await openConnections(api.url, 1000);
      const unlock = await lockStock(pool, saleId);

      for (const [number, connection] of connections.entries()) {
        connection.write(purchaseText(productId, `shopper-${number}`));
      }
      const isAsExpected = ({ inFlight, refused }: Awaited<ReturnType<typeof readProtection>>) =>
        inFlight === served && (refused.inFlight ?? 0) + (refused.sale ?? 0) === 1000 - served;
      await untilProtection(api, 'all have arrived', isAsExpected);
      let told = 0;
      const arriving = connections.map(async ({ answer }) => {
        const got = await answer();
        told += 1;
        return got;
      });
      // Decisions are locked out: a request refused now has not waited for one.
      await until('the rest are refused', () => told === 1000 - served, 20_000);
      await unlock();
      const answers = await Promise.all(arriving);

      const refusals = answers.filter(isOverloaded);
      expect(answers.filter(answer => answer?.status === 200)).toHaveLength(served);
      expect(refusals).toHaveLength(1000 - served);
      for (const { head } of refusals) expect(head).toMatch(/^retry-after: [123]\r$/m);
      const times = refusals.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
      const [median = 0, slow = 0] = [0.5, 0.99].map(share => times[Math.floor(times.length * share)] ?? 0);
      console.log(`refused: P50 ${median.toFixed(0)} ms, P99 ${slow.toFixed(0)} ms, sender included`);
      expect(await stockOf(pool, saleId)).toMatchObject({ sold: served, available: 1000 - served });
      expect(await readProtection(api)).toMatchObject({ inFlight: 0 });
    },
    60_000,
  );

  it('count only once their body has arrived: slow senders keep no other caller out', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const api = await startTestApi(url, { MAX_IN_FLIGHT: '2' });
    const text = purchaseText(productId, 'slow');
    for (const { write } of await openConnections(api.url, 20)) write(text.slice(0, -5));

    const answer = await api.purchase({ productId, userId: 'quick' });

    expect(answer.status).toBe(200);
    expect((await readProtection(api)).refused.inFlight).toBe(0);
  });

  it('end when their caller disconnects', async () => {
    const { url, pool } = await createTestDatabase();
    const { saleId, productId } = await createTestSale(pool);
    const api = await startTestApi(url, { MAX_IN_FLIGHT: '3' });
    const unlock = await lockStock(pool, saleId);
    const gone = await openConnections(api.url, 3);
    for (const [number, { write }] of gone.entries()) write(purchaseText(productId, `gone-${number}`));
    await untilProtection(api, 'it is full', ({ inFlight }) => inFlight === 3);
    expect((await api.purchase({ productId, userId: 'late' })).slug).toBe('overloaded');

    for (const { socket } of gone) socket.destroy();
    await unlock();

    await untilProtection(api, 'none is in flight', ({ inFlight }) => inFlight === 0);
    expect((await api.purchase({ productId, userId: 'late' })).status).toBe(200);
  });

  it('do not include event streams, which stay open', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const api = await startTestApi(url, { MAX_IN_FLIGHT: '1' });
    const { body } = await api.purchase({ productId, userId: 'a' });
    const head = purchaseText(productId, 'a').split('\r\n\r\n')[0]?.split('\r\n').slice(1, 3).join('\r\n');
    for (let n = 0; n < 5; n++) {
      const { write, answer } = await openConnection(api.url);
      write(`GET /api/orders/${body.order?.id}/events HTTP/1.1\r\n${head}\r\nx-user-id: a\r\n\r\n`);
      expect((await answer())?.status).toBe(200);
    }

    expect((await api.purchase({ productId, userId: 'b' })).status).toBe(200);
  });
});

function isOverloaded(answer: RawAnswer | undefined): answer is RawAnswer {
  return answer?.status === 503;
}
