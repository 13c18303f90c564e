import { describe, expect, it, onTestFinished } from 'vitest';
import { createMemoryRateLimits } from '../../src/admission/rate-limits/memory-rate-limits.js';
import type { RateLimits } from '../../src/admission/rate-limits/rate-limits.js';
import { createRedisRateLimits } from '../../src/admission/rate-limits/redis-rate-limits.js';
import { connectRedis, waitForRedis } from '../../src/platform/redis-link.js';
import { until } from '../support/condition.js';
import { startTestRedis, type TestRedis } from '../support/redis.js';

const rare = { limit: 1, windowMs: 3_600_000, burst: 5 };

describe.each<[string, () => Promise<RateLimits>]>([
  ['in memory', async () => createMemoryRateLimits()],
  ['in Redis', async () => connect(await startTestRedis())],
])('rate limits %s', (_, create) => {
  it('allow a burst, and no call more', async () => {
    const { take } = await create();

    const taken = await Promise.all(Array.from({ length: 20 }, () => take('a', rare)));

    expect(taken.filter(({ allowed }) => allowed).map(({ remaining }) => remaining)).toEqual([4, 3, 2, 1, 0]);
    const refused = taken.filter(({ allowed }) => !allowed);
    expect(refused).toHaveLength(15);
    for (const { remaining, resetMs } of refused) {
      expect(remaining).toBe(0);
      expect(resetMs).toBeGreaterThan(3_500_000);
      expect(resetMs).toBeLessThanOrEqual(3_600_000);
    }
  });

  it('count each key separately, whatever it contains', async () => {
    const { take } = await create();
    for (let i = 0; i < 5; i++) await take('a', rare);

    expect(await take('a', rare)).toMatchObject({ allowed: false });
    for (const key of ['b', '', '}{', 'a b', '::1', 'Zoë']) {
      expect(await take(key, rare)).toEqual({ allowed: true, remaining: 4, resetMs: 0 });
    }
  });

  it('allow another call after the promised wait', async () => {
    const { take } = await create();
    const quick = { limit: 1, windowMs: 2000, burst: 1 };
    expect(await take('a', quick)).toMatchObject({ allowed: true, remaining: 0 });
    const { allowed, resetMs } = await take('a', quick);
    expect(allowed).toBe(false);
    expect(resetMs).toBeLessThanOrEqual(2000);

    // A refused call costs nothing, or a caller that keeps asking would never get an answer.
    await until('it is allowed again', async () => (await take('a', quick)).allowed);
  });
});

describe('rate limits in memory', () => {
  it('keep a bounded number of buckets, and drop the one that was idle for longest', () => {
    const { take } = createMemoryRateLimits(() => 0, 2);
    const once = { ...rare, burst: 1 };
    take('a', once);
    take('b', once);
    expect(take('a', once)).toMatchObject({ allowed: false });

    take('c', once);

    expect(take('a', once)).toMatchObject({ allowed: false });
    expect(take('b', once)).toMatchObject({ allowed: true });
  });

  it('refill evenly, and never above the burst', () => {
    let nowMs = 0;
    const { take } = createMemoryRateLimits(() => nowMs);
    const rate = { limit: 10, windowMs: 1000, burst: 3 };
    for (let i = 0; i < 3; i++) take('a', rate);
    expect(take('a', rate)).toEqual({ allowed: false, remaining: 0, resetMs: 100 });

    nowMs = 100;
    expect(take('a', rate)).toEqual({ allowed: true, remaining: 0, resetMs: 100 });
    nowMs = 100_000;
    expect(take('a', rate)).toEqual({ allowed: true, remaining: 2, resetMs: 0 });
  });
});

describe('rate limits in Redis', () => {
  it('are shared by all processes', async () => {
    const redis = await startTestRedis();
    const processes = await Promise.all([connect(redis), connect(redis), connect(redis)]);

    const taken = await Promise.all(processes.flatMap(({ take }) => [1, 2, 3, 4].map(() => take('a', rare))));

    expect(taken.filter(({ allowed }) => allowed)).toHaveLength(5);
  });

  it('expire once they no longer count', async () => {
    const redis = await startTestRedis();
    const { take } = await connect(redis);

    await take('a', { limit: 10, windowMs: 100_000, burst: 5 });

    const [key = ''] = await redis.client.keys('*');
    // Full again after 10 s, plus a second.
    const lifetimeMs = await redis.client.pttl(key);
    expect(lifetimeMs).toBeGreaterThan(0);
    expect(lifetimeMs).toBeLessThanOrEqual(11_000);
  });

  it('are counted by each process alone while Redis is gone, and together again afterwards', async () => {
    const redis = await startTestRedis();
    const [one, other] = [await connect(redis), await connect(redis)];
    await redis.kill();
    const takeOften = async ({ take }: RateLimits, key: string) => {
      const taken = await Promise.all(Array.from({ length: 8 }, () => take(key, rare)));
      return taken.filter(({ allowed }) => allowed).length;
    };

    expect(await takeOften(one, 'a')).toBe(5);
    expect(await takeOften(other, 'a')).toBe(5);

    await redis.start();
    let round = 0;
    const together = async () => {
      const key = `b-${round++}`;
      return (await takeOften(one, key)) + (await takeOften(other, key)) === 5;
    };
    await until('they count together', together);
  });
});

async function connect({ url }: TestRedis): Promise<RateLimits> {
  // On a processor busy with other tests, a slow Redis is not a broken one.
  const link = connectRedis({ url, timeoutMs: 10_000, onError: () => {} });
  onTestFinished(link.close);
  await waitForRedis(link, 20_000);
  return createRedisRateLimits(link);
}
