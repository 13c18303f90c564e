import { describe, expect, it } from 'vitest';
import { epochKey, stockKey } from '../../src/admission/gate/redis-scripts.js';
import { sleep } from '../../src/platform/backoff.js';
import { serviceHeaders, startTestApi, type TestApi } from '../support/api.js';
import { expectCleanAudit } from '../support/audit.js';
import { until } from '../support/condition.js';
import { testConfig } from '../support/config.js';
import { createTestDatabase } from '../support/database.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { startGateProcess } from '../support/gate-rig.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { createTestSale, type SaleOptions, stockOf } from '../support/sale.js';

type Scene = { redis: TestRedis; proxy: FaultProxy };
type Fault = {
  fault: string;
  strike(scene: Scene): Promise<unknown>;
  mend(scene: Scene): Promise<unknown>;
};

const nothing = async () => {};
const restart = ({ redis }: Scene) => redis.start();
const faults: Fault[] = [
  { fault: 'FLUSHALL', strike: ({ redis }) => redis.client.flushall(), mend: nothing },
  { fault: 'SCRIPT FLUSH', strike: ({ redis }) => redis.client.script('FLUSH'), mend: nothing },
  {
    fault: 'a kill, and a restart with empty memory',
    strike: ({ redis }) => redis.kill(),
    mend: restart,
  },
  {
    fault: 'a kill, and a restart on old data',
    async strike({ redis }) {
      await redis.client.save();
      await redis.kill();
    },
    mend: restart,
  },
  {
    fault: 'a stopped server',
    strike: async ({ redis }) => redis.signal('SIGSTOP'),
    mend: async ({ redis }) => redis.signal('SIGCONT'),
  },
  {
    fault: 'a network that drops all packets',
    strike: async ({ proxy }) => proxy.setSilent(true),
    mend: async ({ proxy }) => proxy.setSilent(false),
  },
  {
    fault: '500 ms of latency for every answer',
    strike: async ({ proxy }) => proxy.setDelay(500),
    mend: async ({ proxy }) => proxy.setDelay(0),
  },
  {
    fault: 'full memory that is never freed',
    async strike({ redis }) {
      await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
      await redis.client.config('SET', 'maxmemory', '1');
    },
    mend: ({ redis }) => redis.client.config('SET', 'maxmemory', '0'),
  },
];

// Longer than the default, to tell waiting for Redis from waiting for this machine.
const timeoutMs = 1000;

describe('a running sale survives', () => {
  it.each(faults)('$fault', async ({ strike, mend }) => {
    const { scene, pool, sale, apis } = await start({ allocation: 60, perUserLimit: 1 });
    let shopper = 0;
    const buy = async (count: number) => {
      const answersMs: number[] = [];
      for (let i = 0; i < count; i++) {
        const sentAtMs = performance.now();
        const api = apis[shopper % 2] ?? apis[0];
        const { status } = await api.purchase({ productId: sale.productId, userId: `shopper-${shopper++}` });
        expect(status).toBe(200);
        answersMs.push(performance.now() - sentAtMs);
      }
      return answersMs.sort((a, b) => a - b);
    };
    await buy(20);

    await strike(scene);
    const during = await buy(20);
    // At most three calls in a row wait for the timeout in each process; then the breaker opens.
    expect(during.filter(answerMs => answerMs >= timeoutMs).length).toBeLessThanOrEqual(6);
    expect((await apis[0].purchase({ productId: sale.productId, userId: 'shopper-0' })).slug).toBe(
      'limit-reached',
    );

    await mend(scene);
    await agreed(scene.redis, apis);
    for (const api of apis) await asksRedis(api, sale.productId, 'shopper-0');
    await buy(20);
    expect((await apis[1].purchase({ productId: sale.productId, userId: 'late' })).slug).toBe('sold-out');
    expect(await stockOf(pool, sale.saleId)).toMatchObject({ available: 0, sold: 60 });
    await agreed(scene.redis, apis);
    await expectCleanAudit(pool);
  });

  it('a Redis that never existed', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { allocation: 2 });
    const api = await startTestApi(url, { REDIS_URL: 'redis://127.0.0.1:1' });

    expect((await api.purchase({ productId, userId: 'a', quantity: 2 })).status).toBe(200);
    expect((await api.purchase({ productId, userId: 'b' })).slug).toBe('sold-out');
    expect((await api.asOperator('GET', '/api/admin/audit')).body).toMatchObject({ ok: true });
  });
});

describe('a call to a Redis that stops responding', () => {
  // Judged by which of two timers of one process ends first, so that a busy machine makes no difference.
  it('waits for REDIS_TIMEOUT at most, 100 ms by default; after three timeouts, calls do not wait', async () => {
    expect(testConfig().REDIS_TIMEOUT).toBe(100);
    const { url, pool } = await createTestDatabase();
    const sale = await createTestSale(pool);
    const redis = await startTestRedis();
    const proxy = await startFaultProxy(redis.url);
    const env = { REDIS_URL: proxy.url, REDIS_TIMEOUT: String(timeoutMs) };
    const { gate } = await startGateProcess(url, env);
    expect(await gate.check(sale, 'a', 1, false)).toBeUndefined();

    proxy.setSilent(true);
    const waits: string[] = [];
    while (waits.length < 20) waits.push(await waitOf(async () => gate.check(sale, 'a', 1, false)));

    expect(waits).not.toContain('too long');
    expect(waits).toContain('in time');
    expect(waits.filter(wait => wait === 'in time').length).toBeLessThanOrEqual(3);
    expect(waits.slice(3)).toEqual(Array(17).fill('none'));
  });
});

describe('wrong advice in Redis', () => {
  it('refuses shoppers for no longer than 10 s, whatever was planted', async () => {
    const { scene, sale, apis } = await start({ allocation: 60 });
    const { client } = scene.redis;
    const key = stockKey((await client.get(epochKey)) ?? '', sale.saleId);

    await client.hset(key, 'available', 0, 'version', 1_000_000);

    const plantedAtMs = performance.now();
    const buy = async () =>
      (await apis[0].purchase({ productId: sale.productId, userId: 'a' })).status === 200;
    await until('it sells', buy, 10_000);
    await agreed(scene.redis, apis);
    expect(performance.now() - plantedAtMs).toBeLessThan(10_000);
  });

  it('is not believed for long while no process can write: it expires within 10 s', async () => {
    const { scene, sale, apis } = await start({ allocation: 60 });
    const { client } = scene.redis;
    const key = stockKey((await client.get(epochKey)) ?? '', sale.saleId);

    await client.config('SET', 'maxmemory', '1');
    // For all a reader can tell, it was written before the memory was full.
    await client.config('SET', 'maxmemory', '0');
    await client.hset(key, 'available', 0, 'version', 1_000_000);
    await client.config('SET', 'maxmemory', '1');
    const refused = async () => (await apis[0].purchase({ productId: sale.productId, userId: 'a' })).slug;
    expect(await refused()).toBe('sold-out');

    await until('it sells', async () => (await refused()) === undefined, 10_000);
  });
});

async function waitOf(ask: () => Promise<unknown>): Promise<'none' | 'in time' | 'too long'> {
  const isLate = sleep(timeoutMs).then(() => passTurns(10));
  const isAnswered = ask().then(() => true);
  const isAnsweredAtOnce = await Promise.race([isAnswered, passTurns(10)]);
  if (isAnsweredAtOnce) return 'none';
  return (await Promise.race([isAnswered, isLate])) ? 'in time' : 'too long';
}

/** Turns of the event loop, however long each takes. */
async function passTurns(count: number): Promise<false> {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve));
  return false;
}

async function start(options: SaleOptions) {
  const { url, pool } = await createTestDatabase();
  const sale = await createTestSale(pool, options);
  const redis = await startTestRedis();
  const proxy = await startFaultProxy(redis.url);
  const env = { REDIS_URL: proxy.url, REDIS_TIMEOUT: String(timeoutMs) };
  const apis: [TestApi, TestApi] = [await startTestApi(url, env), await startTestApi(url, env)];
  const scene = { redis, proxy };
  await until('the sale is in Redis', async () =>
    redis.client.exists(stockKey((await redis.client.get(epochKey)) ?? '', sale.saleId)),
  );
  return { scene, pool, sale, apis };
}

/** Invariant 14, with a process vouching for Redis: no later than 10 s after the fault. */
async function agreed({ client }: TestRedis, apis: readonly TestApi[]): Promise<void> {
  await until('a process vouches for Redis', () => client.get(epochKey), 10_000);
  for (const api of apis) {
    expect((await api.asOperator('GET', '/api/admin/audit')).body).toMatchObject({ ok: true });
  }
}

/** Memory does not know the buyer's units: a gate that refuses this buyer because of the limit has asked Redis. */
async function asksRedis(api: TestApi, productId: number, userId: string): Promise<void> {
  const headers = { ...serviceHeaders, 'x-user-id': userId };
  const isKnown = async () => {
    await api.purchase({ productId, userId });
    return (
      (await api.request('GET', `/api/precheck?productId=${productId}`, { headers })).body.reason ===
      'limit-reached'
    );
  };
  await until('it asks Redis', isKnown, 10_000);
}
