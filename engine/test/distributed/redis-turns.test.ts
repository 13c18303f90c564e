import { describe, expect, it, onTestFinished } from 'vitest';
import { defineScripts, epochKey, stockKey, turnKey } from '../../src/admission/gate/redis-scripts.js';
import { createTakeTurn, vouchedForMs } from '../../src/admission/gate/redis-turns.js';
import type { Queryable } from '../../src/platform/postgres.js';
import { connectRedis, type RedisLink, waitForRedis } from '../../src/platform/redis-link.js';
import { until } from '../support/condition.js';
import { createTestDatabase } from '../support/database.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';
import { createTestSale } from '../support/sale.js';

describe('a turn', () => {
  it('is taken by one of five processes after Redis lost everything, and starts one new epoch', async () => {
    const { redis, pool, saleId } = await start();
    const processes = await Promise.all(
      Array.from({ length: 5 }, async () => createTakeTurn(await connect(redis), pool)),
    );
    await nextTurn(redis, processes[0]);
    const before = await redis.client.get(epochKey);

    for (let round = 0; round < 3; round++) {
      await redis.client.flushall();
      const turns = (await Promise.all(processes.map(takeTurn => takeTurn()))).filter(
        turn => turn !== undefined,
      );

      expect(turns).toHaveLength(1);
      expect(turns[0]).toMatchObject({ isRebuilt: true, warmed: 1 });
      expect(turns[0]?.epoch).not.toBe(before);
      expect(await redis.client.get(epochKey)).toBe(turns[0]?.epoch);
      expect(await redis.client.keys('doorbuster:gate:*')).toEqual([stockKey(turns[0]?.epoch ?? '', saleId)]);
    }
  });

  it('keeps the epoch while all is well', async () => {
    const { redis, pool } = await start();
    const takeTurn = createTakeTurn(await connect(redis), pool);

    const first = await nextTurn(redis, takeTurn);
    const second = await nextTurn(redis, takeTurn);

    expect(first).toMatchObject({ isRebuilt: true });
    expect(second).toEqual({ ...first, isRebuilt: false });
  });

  it('whose holder was suspended changes nothing that others read', async () => {
    const { redis, pool, saleId } = await start();
    const asleep = holdBack(pool);
    const sleeper = createTakeTurn(await connect(redis), asleep.db);
    const other = createTakeTurn(await connect(redis), pool);

    const late = sleeper();
    await until('it has read the ledger', asleep.isHeld);
    await redis.client.flushall();
    await pool.query('update stock set available = 4, sold = 6, version = version + 1');
    const { epoch } = await nextTurn(redis, other);
    asleep.release();

    expect(await late).toBeUndefined();
    expect(await redis.client.get(epochKey)).toBe(epoch);
    expect(await redis.client.hgetall(stockKey(epoch, saleId))).toMatchObject({
      available: '4',
      version: '1',
    });
  });

  it('starts a new epoch when Redis is ahead of the ledger, as after a restore', async () => {
    const { redis, pool, saleId } = await start();
    const takeTurn = createTakeTurn(await connect(redis), pool);
    await pool.query('update stock set available = 0, sold = 10, version = 20');
    const before = await nextTurn(redis, takeTurn);

    await pool.query('update stock set available = 10, sold = 0, version = 3');
    const after = await nextTurn(redis, takeTurn);

    expect(after.isRebuilt).toBe(true);
    expect(after.epoch).not.toBe(before.epoch);
    expect(await redis.client.hget(stockKey(after.epoch, saleId), 'available')).toBe('10');
  });

  it('leaves no key without an expiry', async () => {
    const { redis, pool } = await start();
    await nextTurn(redis, createTakeTurn(await connect(redis), pool));

    const keys = await redis.client.keys('*');
    const lifetimesMs = await Promise.all(keys.map(key => redis.client.pttl(key)));

    expect(keys).toHaveLength(3);
    expect(Math.min(...lifetimesMs)).toBeGreaterThan(0);
    expect(Math.max(...lifetimesMs)).toBeLessThanOrEqual(vouchedForMs);
  });

  it('continues after SCRIPT FLUSH', async () => {
    const { redis, pool } = await start();
    const takeTurn = createTakeTurn(await connect(redis), pool);
    await nextTurn(redis, takeTurn);

    await redis.client.script('FLUSH');

    expect(await nextTurn(redis, takeTurn)).toMatchObject({ isRebuilt: false });
  });
});

describe('a stale writer', () => {
  it('changes nothing if its version is old, its epoch lost, or its sale flushed', async () => {
    const { redis, pool, saleId } = await start();
    const link = await connect(redis);
    defineScripts(link);
    const takeTurn = createTakeTurn(link, pool);
    const write = (epoch: string, version: number, available: number) =>
      link.send(client => client.gateWrite(stockKey(epoch, saleId), version, available, 0, 0));
    await pool.query('update stock set version = 5');
    const { epoch } = await nextTurn(redis, takeTurn);

    await write(epoch, 4, 0);
    await write(epoch, 5, 0);
    expect(await redis.client.hgetall(stockKey(epoch, saleId))).toMatchObject({
      available: '10',
      version: '5',
    });
    await write(epoch, 6, 3);
    expect(await redis.client.hgetall(stockKey(epoch, saleId))).toMatchObject({
      available: '3',
      version: '6',
    });

    await redis.client.flushall();
    await write(epoch, 7, 0);
    expect(await redis.client.keys('*')).toEqual([]);
    const { epoch: next } = await nextTurn(redis, takeTurn);
    await write(epoch, 8, 0);
    expect(await redis.client.exists(stockKey(epoch, saleId))).toBe(0);
    expect(await redis.client.hget(stockKey(next, saleId), 'available')).toBe('10');
  });
});

async function start() {
  const { pool } = await createTestDatabase();
  const { saleId } = await createTestSale(pool, { allocation: 10 });
  return { pool, saleId, redis: await startTestRedis() };
}

async function connect({ url }: TestRedis): Promise<RedisLink> {
  const link = connectRedis({ url, timeoutMs: 10_000, onError: () => {} });
  onTestFinished(link.close);
  await waitForRedis(link, 20_000);
  return link;
}

/** Ends the pause between two turns and takes the next. */
async function nextTurn({ client }: TestRedis, takeTurn: ReturnType<typeof createTakeTurn> | undefined) {
  await client.del(turnKey);
  const turn = await takeTurn?.();
  if (!turn) throw new Error('no turn');
  return turn;
}

/** A database that delays its second answer (the stock) until it is released. */
function holdBack(db: Queryable) {
  let release = () => {};
  let isHeld = false;
  const held = new Promise<void>(resolve => {
    release = resolve;
  });
  const query: Queryable['query'] = new Proxy(db.query, {
    async apply(target, _, parameters) {
      const result = await Reflect.apply(target, db, parameters);
      if (JSON.stringify(parameters[0]).includes('read-stock')) {
        isHeld = true;
        await held;
      }
      return result;
    },
  });
  return { db: { query }, release: () => release(), isHeld: () => isHeld };
}
