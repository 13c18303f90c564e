import { onTestFinished } from 'vitest';
import { type RedisServer, startRedis } from '../../drill/servers/redis.js';

export type TestRedis = RedisServer;

/** A Redis of the test's own, which goes away with it. */
export async function startTestRedis(): Promise<TestRedis> {
  const redis = await startRedis();
  onTestFinished(redis.remove);
  return redis;
}
