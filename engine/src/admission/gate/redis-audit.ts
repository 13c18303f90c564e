import { z } from 'zod';
import type { Stock } from '../../ledger/stock.js';
import { sleep } from '../../platform/backoff.js';
import { OperatingError } from '../../platform/errors.js';
import type { RedisLink } from '../../platform/redis-link.js';
import { epochKey, stockKey } from './redis-scripts.js';

// A gate that lets too few through recovers within this time.
const agreesWithinMs = 10_000;
const chunkMax = 100;

/**
 * How many of these sales Redis sees differently from the ledger, once writes under way have arrived. Sales that Redis
 * does not know, a missing epoch, and a server that does not answer refuse no shopper, so they do not count. Buyers'
 * units are not compared, because they expire within 5 s.
 */
export async function countSharedDisagreements(link: RedisLink, stocks: readonly Stock[]): Promise<number> {
  const giveUpAtMs = performance.now() + agreesWithinMs;
  for (;;) {
    const count = await countNow(link, stocks).catch(noneWithoutRedis);
    if (count === 0 || performance.now() > giveUpAtMs) return count;
    await sleep(100);
  }
}

async function countNow(link: RedisLink, stocks: readonly Stock[]): Promise<number> {
  const epoch = await link.send(redis => redis.get(epochKey));
  if (epoch === null) return 0;
  let count = 0;
  for (let from = 0; from < stocks.length; from += chunkMax) {
    const chunk = stocks.slice(from, from + chunkMax);
    const disagree = await Promise.all(chunk.map(stock => disagrees(link, epoch, stock)));
    count += disagree.filter(Boolean).length;
  }
  return count;
}

function noneWithoutRedis(error: unknown): number {
  if (error instanceof OperatingError && error.code === 'REDIS_UNAVAILABLE') return 0;
  throw error;
}

const knownSchema = z.tuple([z.coerce.number(), z.coerce.number()]);

// A newer version reflects more than the snapshot; an older one must catch up.
async function disagrees(link: RedisLink, epoch: string, stock: Stock): Promise<boolean> {
  const reply = await link.send(redis => redis.hmget(stockKey(epoch, stock.saleId), 'version', 'available'));
  if (reply[0] === null) return false;
  const [version, available] = knownSchema.parse(reply);
  return version < stock.version || (version === stock.version && available !== stock.available);
}
