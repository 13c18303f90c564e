import type { Result } from 'ioredis';
import { z } from 'zod';
import type { RedisLink } from '../../platform/redis-link.js';
import { createMemoryRateLimits } from './memory-rate-limits.js';
import type { RateLimit, RateLimits, RateTaken } from './rate-limits.js';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    rateTake(key: string, limit: number, windowMs: number, burst: number): Result<unknown, Context>;
  }
}

/**
 * One count for all processes, in one round trip. While Redis is slow or down, each process counts for itself. With N
 * processes a key may then have N times its limit, and no call is refused because of Redis.
 */
export function createRedisRateLimits(link: RedisLink): RateLimits {
  link.define('rateTake', { lua: take, numberOfKeys: 1 });
  const own = createMemoryRateLimits();

  async function takeShared(key: string, rate: RateLimit): Promise<RateTaken> {
    try {
      const { limit, windowMs, burst } = rate;
      const reply = await link.send(redis =>
        redis.rateTake(`doorbuster:rate:{${key}}`, limit, windowMs, burst),
      );
      const [allowed, remaining, resetMs] = replySchema.parse(reply);
      return { allowed: allowed === 1, remaining, resetMs };
    } catch {
      return own.take(key, rate);
    }
  }

  return { take: (key, rate) => (link.isUp() ? takeShared(key, rate) : own.take(key, rate)) };
}

const replySchema = z.tuple([z.number(), z.number(), z.number()]);

/*
 * Take from the bucket of a key, by the server's clock, which all processes share. A bucket that has had time to fill
 * up equals a missing one, and expires then. ARGV: limit, window in ms, burst. Answers {1 or 0, remaining, reset in ms}.
 */
const take = `
  local time = redis.call('time')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local perMs, burst = ARGV[1] / ARGV[2], tonumber(ARGV[3])
  local bucket = redis.call('hmget', KEYS[1], 'tokens', 'at')
  local tokens = burst
  if bucket[1] then
    tokens = math.min(burst, bucket[1] + math.max(0, now - bucket[2]) * perMs)
  end
  local allowed = 0
  if tokens >= 1 then
    allowed = 1
    tokens = tokens - 1
  end
  redis.call('hset', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%d', now))
  redis.call('pexpire', KEYS[1], math.ceil((burst - tokens) / perMs) + 1000)
  local reset = 0
  if tokens < 1 then reset = math.ceil((1 - tokens) / perMs - 0.001) end
  return {allowed, math.floor(tokens), reset}`;
