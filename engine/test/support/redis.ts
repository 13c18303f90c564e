import { onTestFinished } from 'vitest';
import { type RedisServer, startRedis } from '../../drill/servers/redis.js';

export type TestRedis = RedisServer;

/** A Redis for the test, stopped when it ends. */
export async function startTestRedis(): Promise<TestRedis> {
  const redis = await startRedis();
  onTestFinished(redis.remove);
  return redis;
}
