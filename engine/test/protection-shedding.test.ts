import { describe, expect, it, onTestFinished } from 'vitest';
import { startTestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
import { readProtection, shedAt, untilProtection } from './support/protection.js';
import { postOrder } from './support/queued.js';
import { createTestSale, lockStock } from './support/sale.js';
import { createShopper, heldBy } from './support/shopper.js';

const patient = { DECISION_DEADLINE_MS: '30000', DB_TIMEOUT: '30000' };

const webKey = 'web-key-of-the-test-000000';

describe('an overloaded process', () => {
  it.each([
    { level: 'none', page: 404, stock: 200, purchase: 200, order: 200 },
    { level: 'browsing', page: 404, stock: 503, purchase: 200, order: 200 },
    { level: 'buying', page: 404, stock: 503, purchase: 503, order: 200 },
    { level: 'finishing', page: 503, stock: 503, purchase: 503, order: 503 },
  ] as const)(
    'refuses browsing first, then new purchases, and requests that finish an order last (at $level)',
    async ({ level, ...expected }) => {
      const { url, pool } = await createTestDatabase();
      const { productId } = await createTestSale(pool);
      const shopper = createShopper(await startTestApi(url), 'holder');
      const { orderId } = heldBy(await shopper.checkout(productId));
      const api = await startTestApi(url, { WEB_KEY: webKey }, { shedding: shedAt(level) });
      const stock = `/api/stock/${productId}`;
      const answers = await Promise.all([
        // Assets of pages, and a page: none exists here, so that an admitted one gets 404.
        api.request('GET', stock, { headers: { 'x-web-key': webKey } }),
        api.request('GET', '/drops/1'),
        api.request('GET', stock),
        api.purchase({ productId, userId: 'a' }),
        createShopper(api, 'holder').read(orderId),
        api.request('GET', '/api/ready'),
      ]);

      const { page, stock: browsing, purchase, order } = expected;
      expect(answers.map(({ status }) => status)).toEqual([200, page, browsing, purchase, order, 200]);
      const { refused } = await readProtection(api);
      expect(refused.shedBrowsing).toBe(browsing === 503 ? 1 : 0);
      expect((refused.shedBuying ?? 0) + (refused.shedFinishing ?? 0)).toBe(
        answers.filter(({ status }) => status === 503).length - (refused.shedBrowsing ?? 0),
      );
    },
  );

  it('sells directly while orders wait for a broker that is down, which decisions of that age would stop', async () => {
    const { url, pool } = await createTestDatabase();
    const { saleId, productId } = await createTestSale(pool, { allocation: 100_000, perUserLimit: 100_000 });
    const shedWaitMs = 500;
    const one = { DECISION_BATCH_MAX: '1', FAULTS_ENABLED: 'true', SHED_WAIT_MS: String(shedWaitMs) };
    const api = await startTestApi(url, { ...patient, ...one });
    const hang = { place: 'queue', effect: 'hang', forMs: 60_000 };
    expect((await api.asOperator('POST', '/api/admin/faults', hang)).status).toBe(201);

    const startedAtMs = performance.now();
    const answeredAfterMs: number[] = [];
    const orders = ['a', 'b', 'c'].map(async userId => {
      expect((await postOrder(api, { productId, userId })).status).toBe(202);
      answeredAfterMs.push(performance.now() - startedAtMs);
    });
    while (answeredAfterMs.length < orders.length) {
      expect((await api.purchase({ productId, userId: 'direct', quantity: 1 })).status).toBe(200);
      expect((await readProtection(api)).shedding.level).toBe('none');
    }
    await Promise.all(orders);
    // Each had its own batch, so that the last one has waited as long as the first two took.
    expect(answeredAfterMs[1]).toBeGreaterThan(2 * shedWaitMs);

    // The control: shedding is active here.
    const unlock = await lockStock(pool, saleId);
    const held = ['d', 'e'].map(userId => api.purchase({ productId, userId }));
    await untilProtection(api, 'buying is refused', ({ shedding }) => shedding.waitMs > 2 * shedWaitMs);
    expect(await api.purchase({ productId, userId: 'f' })).toMatchObject({ status: 503, slug: 'overloaded' });
    await unlock();
    await Promise.all(held);
  }, 60_000);

  it('never sheds with its limit at 0', async () => {
    const { api, unlock, productId } = await startWithDecisionsThatWait({ SHED_WAIT_MS: '0' });
    await untilProtection(api, 'a purchase waits', ({ shedding }) => shedding.waitMs > 1000);
    expect((await api.request('GET', `/api/stock/${productId}`)).status).toBe(200);
    expect((await readProtection(api)).shedding.level).toBe('none');
    await unlock();
  }, 60_000);

  it('sheds by the lag of its event loop, and recovers when that is free', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const api = await startTestApi(url, { SHED_LAG_MS: '100' });
    expect((await api.request('GET', `/api/stock/${productId}`)).status).toBe(200);

    const stop = keepEventLoopBusy(300);
    await untilProtection(api, 'it is late', ({ shedding }) => shedding.level !== 'none');
    const answer = await api.request('GET', `/api/stock/${productId}`);
    stop();

    expect([answer.status, answer.slug]).toEqual([503, 'overloaded']);
    expect(answer.headers.get('retry-after')).toMatch(/^[123]$/);
    await untilProtection(api, 'it is normal again', ({ shedding }) => shedding.level === 'none');
    expect((await api.request('GET', `/api/stock/${productId}`)).status).toBe(200);
  }, 60_000);
});

/** One purchase is sealed and hangs, and another waits behind it. */
async function startWithDecisionsThatWait(env: Record<string, string>) {
  const { url, pool } = await createTestDatabase();
  const { saleId, productId } = await createTestSale(pool);
  const api = await startTestApi(url, { ...patient, ...env });
  const shopper = createShopper(api, 'holder');
  const { orderId } = heldBy(await shopper.checkout(productId));
  const unlock = await lockStock(pool, saleId);
  const sealed = api.purchase({ productId, userId: 'sealed' });
  await untilProtection(api, 'the first is in progress', ({ inFlight }) => inFlight === 1);
  const waiting = api.purchase({ productId, userId: 'waiting' });
  onTestFinished(async () => void (await Promise.all([sealed, waiting])));
  return { api, shopper, orderId, productId, unlock };
}

/** Turns of the event loop that each take this long, as under a flood of work. */
function keepEventLoopBusy(turnMs: number): () => void {
  const timer = setInterval(() => {
    const endAtMs = performance.now() + turnMs;
    while (performance.now() < endAtMs);
  }, 1);
  onTestFinished(() => clearInterval(timer));
  return () => clearInterval(timer);
}
