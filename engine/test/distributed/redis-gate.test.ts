import { describe, expect, it } from 'vitest';
import { epochKey, stockKey } from '../../src/admission/gate/redis-scripts.js';
import { expireHolds } from '../../src/ledger/expire.js';
import { type Answer, startTestApi, type TestApi } from '../support/api.js';
import { expectCleanAudit } from '../support/audit.js';
import { until } from '../support/condition.js';
import { createTestDatabase } from '../support/database.js';
import { runTool } from '../support/engine.js';
import { describeGateContract } from '../support/gate-contract.js';
import { startGateProcess } from '../support/gate-rig.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { createTestSale, type SaleOptions, tellStock } from '../support/sale.js';

describeGateContract('in memory', async () => ({}));
describeGateContract('in Redis', async () => envOf(await startTestRedis()));

describe("a buyer's units", () => {
  it('are known to every process once one has refused the buyer because of the limit, without a query to the ledger', async () => {
    const { pool, apis, productId } = await start({ perUserLimit: 2 });
    const [one, other] = apis;
    await one.purchase({ productId, userId: 'greedy', quantity: 2 });
    expect((await one.purchase({ productId, userId: 'greedy' })).slug).toBe('limit-reached');
    await one.purchase({ productId, userId: 'modest' });
    expect((await one.purchase({ productId, userId: 'modest', quantity: 2 })).slug).toBe('limit-reached');

    // Without decide(), a purchase that reaches the ledger gets overloaded.
    await pool.query('alter function decide rename to decide_is_gone');
    const ofGreedy = async () => (await other.purchase({ productId, userId: 'greedy' })).slug;
    await until('the other refuses', async () => (await ofGreedy()) === 'limit-reached');
    expect((await other.purchase({ productId, userId: 'modest', quantity: 2 })).slug).toBe('limit-reached');
    // Units below the limit, and other buyers, are for the ledger to decide.
    expect((await other.purchase({ productId, userId: 'modest' })).slug).toBe('overloaded');
    expect((await other.purchase({ productId, userId: 'somebody' })).slug).toBe('overloaded');
    await until('it is forgotten', async () => (await ofGreedy()) === 'overloaded');
  });

  it('never hide the order that an earlier try with the same key made', async () => {
    const { apis, productId } = await start({ perUserLimit: 1 });
    const [one, other] = apis;
    const bought = await one.purchase({ productId, userId: 'a', key: 'k' });
    for (const api of apis) await api.purchase({ productId, userId: 'a' });

    const retried = await other.purchase({ productId, userId: 'a', key: 'k' });

    expect(retried.status).toBe(200);
    expect(retried.body.order?.id).toBe(bought.body.order?.id);
  });

  it('are void as soon as units return to the sale', async () => {
    const { url, pool } = await createTestDatabase();
    const sale = await createTestSale(pool, { perUserLimit: 1, payment: 'required' });
    const redis = await startTestRedis();
    const process = await startGateProcess(url, envOf(redis));
    await process.decide(sale.saleId, 'a');
    expect(await process.decide(sale.saleId, 'a')).toBe('limit-reached');
    const ask = async () => process.gate.check(sale, 'a', 1, false);
    await until('it is known', async () => (await ask()) === 'limit-reached');

    await pool.query(`update orders set expires_at = clock_timestamp() - interval '1 second'`);
    process.onStock((await expireHolds(pool, sale.saleId, 10)).stock);
    const returnedAtMs = performance.now();

    await until('it admits the buyer', async () => (await ask()) === undefined);
    // Sooner than by expiry, after 5 s.
    expect(performance.now() - returnedAtMs).toBeLessThan(4000);
  });
});

describe('two processes that share one Redis', () => {
  it('learn within 100 ms what the other sells, and that units returned', async () => {
    const { pool, apis, productId, saleId } = await start({ allocation: 1 });
    const [one, other] = apis;
    await other.purchase({ productId, userId: 'nobody', quantity: 2 });
    const soldMs: number[] = [];
    const returnedMs: number[] = [];

    for (let round = 0; round < 10; round++) {
      // Units returned by hand are visible here at once, and in Redis after its keeper's next turn.
      await until('it is bought', async () => {
        return (await one.purchase({ productId, userId: `buyer-${round}` })).status === 200;
      });
      const state = async () => (await other.request('GET', `/api/stock/${productId}`)).body.stock;
      soldMs.push(await msUntil('it is sold out there', async () => (await state()) === 0));
      await pool.query(
        `update stock set allocation = allocation + 1, available = available + 1, version = version + 1
         where sale_id = $1`,
        [saleId],
      );
      await tellStock(pool, saleId);
      returnedMs.push(await msUntil('it sells there', async () => (await state()) === 1));
    }

    // The third of ten, since most of the delays may come from this machine.
    expect(soldMs.sort((a, b) => a - b)[2]).toBeLessThan(100);
    expect(returnedMs.sort((a, b) => a - b)[2]).toBeLessThan(100);
  });

  it('learn within 100 ms that a sale is paused or resumed', async () => {
    const { apis, productId, saleId } = await start({});
    const [one, other] = apis;
    const delaysMs: number[] = [];
    let shopper = 0;
    const buy = async () => other.purchase({ productId, userId: `shopper-${shopper++}` });

    for (let round = 0; round < 5; round++) {
      await one.asOperator('POST', `/api/admin/sales/${saleId}/pause`);
      delaysMs.push(await msUntil('it is paused', async () => (await buy()).slug === 'sale-not-open'));
      await one.asOperator('POST', `/api/admin/sales/${saleId}/resume`);
      delaysMs.push(await msUntil('it is resumed', async () => (await buy()).status === 200));
    }

    expect(delaysMs.sort((a, b) => a - b)[2]).toBeLessThan(100);
  });

  it('sell exactly the allocation to a crowd with a limit of one each', async () => {
    const { pool, apis, productId } = await start({ allocation: 50, perUserLimit: 1 });
    const buyers = Array.from({ length: 120 }, (_, i) => `shopper-${i % 60}`);

    const answers = await Promise.all(
      buyers.map((userId, i) => (apis[i % 2] ?? apis[0]).purchase({ productId, userId })),
    );

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
    // A returning buyer is told about the limit or, once the last unit is sold, that it is sold out; the ten without a
    // unit are told so twice.
    const refused = answers.map(outcomeOf).filter(outcome => outcome !== '200');
    expect(['sold-out', 'limit-reached']).toEqual(expect.arrayContaining([...new Set(refused)]));
    expect(refused.filter(outcome => outcome === 'sold-out').length).toBeGreaterThanOrEqual(20);
    await expectCleanAudit(pool);
    const audit = await apis[0].asOperator('GET', '/api/admin/audit');
    expect(audit.body).toMatchObject({ ok: true });
  });
});

describe('the precheck', () => {
  it('reports that a buyer has reached the limit', async () => {
    const { apis, productId } = await start({ perUserLimit: 1 });
    const [one, other] = apis;
    const headers = { 'x-user-id': 'a', authorization: 'Bearer test-api-key-000000' };
    const precheck = async () =>
      (await other.request('GET', `/api/precheck?productId=${productId}`, { headers })).body;
    expect(await precheck()).toMatchObject({ admitted: true, reason: null });

    await one.purchase({ productId, userId: 'a' });
    await one.purchase({ productId, userId: 'a' });

    await until('it is refused', async () => (await precheck()).reason === 'limit-reached');
  });
});

describe('the commands', () => {
  it('warm loads a sale into Redis before it opens, and audit compares Redis with the ledger', async () => {
    const { url, pool } = await createTestDatabase();
    const soon = await createTestSale(pool, { startsInMs: 300_000, allocation: 7 });
    const late = await createTestSale(pool, { startsInMs: 1_200_000, endsInMs: 2_000_000 });
    const over = await createTestSale(pool, { startsInMs: -2000, endsInMs: -1000 });
    const redis = await startTestRedis();
    const env = { DATABASE_URL: url, REDIS_URL: redis.url };

    const warmed = await runTool(['warm'], '/nonexistent', env);

    expect(warmed).toEqual({ code: 0, output: 'sales in Redis: 1, under a new epoch\n' });
    const epoch = await epochOf(redis);
    const stock = ({ saleId }: { saleId: number }) => redis.client.hgetall(stockKey(epoch, saleId));
    expect(await stock(soon)).toMatchObject({ available: '7', version: '0' });
    expect(await Promise.all([stock(late), stock(over)])).toEqual([{}, {}]);

    // A sale that Redis is wrong about, with no process to repair it.
    await redis.client.pexpire(epochKey, 60_000);
    await redis.client.persist(stockKey(epoch, soon.saleId));
    await redis.client.hset(stockKey(epoch, soon.saleId), 'available', 0);
    const audit = await runTool(['audit'], '/nonexistent', env);
    expect(audit.output).toContain('BROKEN 14');
    expect(audit.code).toBe(1);
    await redis.client.flushall();
    expect((await runTool(['audit'], '/nonexistent', env)).output).toContain('All invariants hold');
  });

  it('name the remedy if there is no Redis', async () => {
    const { url } = await createTestDatabase();
    const unset = await runTool(['warm'], '/nonexistent', { DATABASE_URL: url });
    expect(unset).toMatchObject({ code: 1, output: expect.stringContaining('Set REDIS_URL') });
    const env = { DATABASE_URL: url, REDIS_URL: 'redis://127.0.0.1:1' };
    const gone = await runTool(['warm'], '/nonexistent', env);
    expect(gone).toMatchObject({ code: 1, output: expect.stringContaining('Check REDIS_URL') });
  });
});

async function start(options: SaleOptions) {
  const { url, pool } = await createTestDatabase();
  const sale = await createTestSale(pool, options);
  const redis = await startTestRedis();
  const env = envOf(redis);
  const apis: [TestApi, TestApi] = [await startTestApi(url, env), await startTestApi(url, env)];
  await until('the sale is in Redis', async () =>
    redis.client.exists(stockKey((await redis.client.get(epochKey)) ?? '', sale.saleId)),
  );
  return { pool, apis, redis, productId: sale.productId, saleId: sale.saleId };
}

/** On a processor busy with other tests, a slow Redis is not a broken one. */
function envOf({ url }: TestRedis) {
  return { REDIS_URL: url, REDIS_TIMEOUT: '5000' };
}

async function epochOf({ client }: TestRedis): Promise<string> {
  return until('a process vouches for an epoch', () => client.get(epochKey));
}

async function msUntil(what: string, check: () => Promise<boolean>): Promise<number> {
  const startedAtMs = performance.now();
  await until(what, check);
  return performance.now() - startedAtMs;
}

function outcomeOf({ status, slug }: Answer): string {
  return slug ?? String(status);
}
