import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale, stockOf } from './support/sale.js';

const path = '/api/admin/faults';
const enabled = { FAULTS_ENABLED: 'true' };

describe('a fault at the ledger', () => {
  it('slows decisions only while it lasts', async () => {
    const { api, productId } = await start();
    await api.purchase({ productId, userId: 'warm-up' });
    // A shorter delay would be lost in the noise; a longer one would be this machine's own.
    await set(api, { place: 'ledger', effect: 'latency', latencyMs: 300, forMs: 2000 });

    const startedAtMs = performance.now();
    expect((await api.purchase({ productId, userId: 'slowed' })).status).toBe(200);
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(299);

    await until('it is over', async () => (await list(api)).length === 0);
    const purchaseMs = async () => {
      const sentAtMs = performance.now();
      await api.purchase({ productId, userId: 'later' });
      return performance.now() - sentAtMs;
    };
    await until('purchases are quick again', async () => (await purchaseMs()) < 300);
  });

  it('that fails all decisions gives callers 503 overloaded, and nothing is sold', async () => {
    const { api, pool, productId, saleId } = await start();
    await set(api, { place: 'ledger', effect: 'error', forMs: 60_000 });

    const answers = await Promise.all(['a', 'b', 'c'].map(userId => api.purchase({ productId, userId })));

    expect(answers.map(({ status, slug }) => `${status} ${slug}`)).toEqual(Array(3).fill('503 overloaded'));
    expect(answers[0]?.headers.get('retry-after')).toMatch(/^[123]$/);
    expect((await stockOf(pool, saleId)).sold).toBe(0);
    await expectCleanAudit(pool);
    await clear(api);
    expect((await api.purchase({ productId, userId: 'a' })).status).toBe(200);
  });

  it('that fails some of the decisions is overcome by retries', async () => {
    const { api, pool, productId, saleId } = await start();
    await set(api, { place: 'ledger', effect: 'error', share: 0.3, forMs: 60_000 });

    for (let shopper = 1; shopper <= 10; shopper++)
      expect((await api.purchase({ productId, userId: `shopper-${shopper}` })).status).toBe(200);

    expect((await stockOf(pool, saleId)).sold).toBe(10);
    await expectCleanAudit(pool);
  });

  it('that hangs gives callers 503 at the deadline, including the first ones', async () => {
    const { api, pool, productId, saleId } = await start({ DECISION_DEADLINE_MS: '300' });
    await set(api, { place: 'ledger', effect: 'hang', forMs: 60_000 });

    const startedAtMs = performance.now();
    const answers = await Promise.all(['a', 'b'].map(userId => api.purchase({ productId, userId })));

    expect(answers.map(({ slug }) => slug)).toEqual(['overloaded', 'overloaded']);
    expect(performance.now() - startedAtMs).toBeLessThan(300 + 2000);
    await clear(api);
    expect((await api.purchase({ productId, userId: 'a' })).status).toBe(200);
    expect((await stockOf(pool, saleId)).sold).toBe(1);
  });

  it('does not delay a shutdown', async () => {
    const { api, productId } = await start({ DECISION_DEADLINE_MS: '500' });
    await set(api, { place: 'ledger', effect: 'hang', forMs: 600_000 });

    const purchase = api.purchase({ productId, userId: 'a' });
    // This request comes later than the purchase: its answer shows that the purchase has arrived.
    await list(api);
    const startedAtMs = performance.now();
    await Promise.all([purchase, api.drain()]);

    expect(performance.now() - startedAtMs).toBeLessThan(5000);
  });
});

describe('a fault at the gate', () => {
  it.each(['error', 'hang'])(
    '(%s) leaves every decision to the ledger, which decides exactly',
    async effect => {
      const { api, pool, productId, saleId } = await start({}, 5);
      await set(api, { place: 'gate', effect, forMs: 60_000 });

      const startedAtMs = performance.now();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, shopper) => api.purchase({ productId, userId: `shopper-${shopper}` })),
      );

      expect(performance.now() - startedAtMs).toBeLessThan(5000);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
      expect(answers.filter(({ slug }) => slug === 'sold-out')).toHaveLength(15);
      expect((await stockOf(pool, saleId)).sold).toBe(5);
      await expectCleanAudit(pool);
    },
  );

  it('affects a request that memory alone would have refused', async () => {
    const { api, pool, productId } = await start({}, 1);
    await api.purchase({ productId, userId: 'first' });
    // Without decide(), a purchase that reaches the ledger gets overloaded.
    await pool.query('alter function decide rename to decide_is_gone');

    expect((await api.purchase({ productId, userId: 'a' })).slug).toBe('sold-out');
    await set(api, { place: 'gate', effect: 'error', forMs: 60_000 });
    expect((await api.purchase({ productId, userId: 'a' })).slug).toBe('overloaded');
    await clear(api, 'gate');
    await set(api, { place: 'gate', effect: 'latency', latencyMs: 5, forMs: 60_000 });
    expect((await api.purchase({ productId, userId: 'a' })).slug).toBe('sold-out');
  });
});

describe('the faults API', () => {
  it('sets and clears a fault in every process', async () => {
    const { url, api } = await start();
    const other = await startTestApi(url, enabled);
    const hasOne = async () => (await list(other)).length === 1;
    // A notification sent before the other process listens never arrives.
    await until('the other listens', async () => {
      await clear(api);
      await set(api, { place: 'gate', effect: 'latency', latencyMs: 1, forMs: 60_000 });
      return (await list(other)).length > 0;
    });
    await clear(api);
    await until('the other has none', async () => (await list(other)).length === 0);

    await set(api, { place: 'ledger', effect: 'error', share: 0.5, forMs: 60_000 });
    await until('the other has it', hasOne);
    await set(api, { place: 'gate', effect: 'hang', forMs: 60_000 });
    await until('the other has both', async () => (await list(other)).length === 2);
    expect(await list(api)).toHaveLength(2);
    expect(await list(other)).toMatchObject([
      { place: 'ledger', effect: 'error', share: 0.5, forMs: 60_000 },
      { place: 'gate', effect: 'hang', share: 1, forMs: 60_000 },
    ]);
    await clear(api, 'ledger');
    await until('the other has one', hasOne);
  });

  it('ignores notifications that it cannot read', async () => {
    const { api, pool, productId } = await start();
    const fault = { place: 'ledger', effect: 'error', share: 1, forMs: 60_000 };
    const sender = randomUUID();
    const readable = { sender, set: { ...fault, place: 'queue' } };
    const bad = [
      '',
      '{',
      { set: fault },
      { sender: 'x', set: fault },
      { sender, set: {} },
      { sender, clear: 'x' },
    ];

    await until('the readable one has arrived', async () => {
      for (const message of [...bad, readable]) {
        const payload = typeof message === 'string' ? message : JSON.stringify(message);
        await pool.query('select pg_notify($1, $2)', ['doorbuster_faults', payload]);
      }
      return (await list(api)).length > 0;
    });

    expect(await list(api)).not.toContainEqual(expect.objectContaining({ place: 'ledger' }));
    expect((await api.purchase({ productId, userId: 'a' })).status).toBe(200);
  });

  it('is refused where faults are disabled, and for every caller except operators', async () => {
    const { api } = await start({ FAULTS_ENABLED: 'false' });
    const { api: willing } = await start();
    const body = { place: 'ledger', effect: 'error', forMs: 1000 };

    for (const method of ['POST', 'GET', 'DELETE']) {
      const sent = method === 'POST' ? body : undefined;
      expect(await api.asOperator(method, path, sent)).toMatchObject({
        status: 403,
        slug: 'faults-disabled',
      });
      const asShop = { body: sent, headers: serviceHeaders };
      expect(await willing.request(method, path, asShop)).toMatchObject({ status: 403, slug: 'forbidden' });
      expect((await willing.request(method, path, { body: sent, headers: {} })).status).toBe(401);
    }
    expect(await list(willing)).toEqual([]);
  });

  it('reports what is wrong with a fault, and accepts at most 20', async () => {
    const { api } = await start();
    const fault = { place: 'payment', effect: 'error', forMs: 60_000 };
    const bad = [
      {},
      { ...fault, place: 'moon' },
      { ...fault, effect: 'explosion' },
      { ...fault, forMs: 0 },
      { ...fault, forMs: 600_001 },
      { ...fault, share: 1.1 },
      { ...fault, share: -0.1 },
      { ...fault, latencyMs: 100 },
      { ...fault, effect: 'latency' },
      { ...fault, effect: 'latency', latencyMs: 10_001 },
      { ...fault, extra: 1 },
    ];
    for (const body of bad)
      expect((await api.asOperator('POST', path, body)).status, JSON.stringify(body)).toBe(400);
    expect((await api.asOperator('DELETE', `${path}?place=moon`)).status).toBe(400);

    for (let count = 1; count <= 20; count++) await set(api, fault);
    expect(await api.asOperator('POST', path, fault)).toMatchObject({ status: 409, slug: 'too-many-faults' });
  });
});

async function start(env: Record<string, string> = {}, allocation = 100) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool, { allocation });
  const api = await startTestApi(url, { ...enabled, ...env });
  return { url, pool, productId, saleId, api };
}

async function set(api: TestApi, fault: Record<string, unknown>): Promise<void> {
  expect((await api.asOperator('POST', path, fault)).status).toBe(201);
}

async function list(api: TestApi): Promise<unknown[]> {
  const { faults } = (await api.asOperator('GET', path)).body;
  if (!Array.isArray(faults)) throw new Error('not a list of faults');
  return faults;
}

async function clear(api: TestApi, place?: string): Promise<void> {
  const query = place === undefined ? '' : `?place=${place}`;
  expect((await api.asOperator('DELETE', `${path}${query}`)).status).toBe(204);
}
