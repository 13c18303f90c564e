import type { Config } from '../platform/config/config.js';
import { connectRedis, type RedisLink, waitForRedis } from '../platform/redis-link.js';

// A tool answers no shoppers, so it can wait for a slow server.
const toolTimeoutMs = 5000;

/** Gives a tool the Redis of REDIS_URL, or undefined if that is not set. @throws OperatingError REDIS_UNAVAILABLE */
export async function withRedis(
  { REDIS_URL }: Config,
  work: (link: RedisLink | undefined) => Promise<void>,
): Promise<void> {
  if (REDIS_URL === undefined) return work(undefined);
  const link = connectRedis({ url: REDIS_URL, timeoutMs: toolTimeoutMs, onError: () => {} });
  try {
    await waitForRedis(link, toolTimeoutMs);
    await work(link);
  } finally {
    link.close();
  }
}
