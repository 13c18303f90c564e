import type { Gate } from '../admission/gate/gate.js';
import { createMemoryGate } from '../admission/gate/memory-gate.js';
import { createRedisGate } from '../admission/gate/redis-gate.js';
import { createSharedStock, type SharedStock } from '../admission/gate/shared-stock.js';
import { createMemoryRateLimits } from '../admission/rate-limits/memory-rate-limits.js';
import type { RateLimits } from '../admission/rate-limits/rate-limits.js';
import { createRedisRateLimits } from '../admission/rate-limits/redis-rate-limits.js';
import type { StockViews } from '../admission/stock-views.js';
import type { Config } from '../platform/config/config.js';
import type { DatabaseClock } from '../platform/database-clock.js';
import type { Pool } from '../platform/postgres.js';
import type { RedisLink } from '../platform/redis-link.js';

/** What this process uses Redis for; undefined without REDIS_URL. */
export type Shared = { link: RedisLink; stock: SharedStock; patienceMs: number };

export type SharedOptions = {
  config: Config;
  pool: Pool;
  warn: (message: string) => (error: unknown) => void;
};

export async function createShared({ config, pool, warn }: SharedOptions): Promise<Shared | undefined> {
  const { REDIS_URL: url, REDIS_TIMEOUT } = config;
  if (url === undefined) return undefined;
  const { connectRedis } = await import('../platform/redis-link.js');
  // Half of the time is for waiting until the question is sent, half for Redis.
  const patienceMs = REDIS_TIMEOUT / 2;
  const onTrouble = warn('Redis does not answer; purchases continue without it');
  const link = connectRedis({ url, timeoutMs: patienceMs, onError: onTrouble });
  const onError = warn('could not compare Redis with the ledger');
  return { link, stock: createSharedStock({ link, db: pool, onError }), patienceMs };
}

export function createGate(shared: Shared | undefined, views: StockViews, clock: DatabaseClock): Gate {
  if (!shared) return createMemoryGate(views, clock);
  return createRedisGate({ ...shared, shared: shared.stock, views, clock });
}

/** With Redis, all processes share one count. */
export function createRateLimits(shared: Shared | undefined): RateLimits {
  return shared ? createRedisRateLimits(shared.link) : createMemoryRateLimits();
}
