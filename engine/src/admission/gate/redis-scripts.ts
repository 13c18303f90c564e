import type { Result } from 'ioredis';
import type { RedisLink } from '../../platform/redis-link.js';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    gateCheck(keyCount: number, ...keysAndArguments: (string | number)[]): Result<unknown, Context>;
    gateWrite(
      stockKey: string,
      version: number,
      available: number,
      mayCreate: 0 | 1,
      ttlMs: number,
    ): Result<unknown, Context>;
    gatePublish(
      turnKey: string,
      epochKey: string,
      token: string,
      epoch: string,
      epochTtlMs: number,
      pauseMs: number,
    ): Result<unknown, Context>;
  }
}

/** Held by the process that compares Redis with the ledger: a lock during the work, a pause after it. */
export const turnKey = 'doorbuster:{gate}:turn';
/**
 * Names the keys that are valid. It expires within seconds; while it exists, a process has just compared them with the
 * ledger.
 */
export const epochKey = 'doorbuster:{gate}:epoch';

/** All keys of a sale have its hash tag, and the epoch in their names. Writes under an older epoch are never read. */
export function stockKey(epoch: string, saleId: number): string {
  return `doorbuster:gate:${epoch}:{${saleId}}`;
}

export function unitsKey(epoch: string, saleId: number, shopperId: string): string {
  return `${stockKey(epoch, saleId)}:${shopperId}`;
}

export function defineScripts({ define }: RedisLink): void {
  define('gateCheck', { lua: check });
  define('gateWrite', { lua: write, numberOfKeys: 1 });
  define('gatePublish', { lua: publish, numberOfKeys: 2 });
}

/*
 * Check a batch of requests for one sale. Reads only.
 * KEYS: the sale's stock, then the units of each request's buyer. ARGV: the limit, then the quantity of each request.
 * Answers {} for an unknown sale, otherwise {version, flags of each}. Flag 1: the quantity exceeds the available units.
 * Flag 2: it exceeds what the limit leaves. Units that were read before units last came back to the sale are ignored.
 */
const check = `
  local stock = redis.call('hmget', KEYS[1], 'version', 'available', 'returned')
  if not stock[1] then return {} end
  local available, returned, limit = tonumber(stock[2]), tonumber(stock[3]), tonumber(ARGV[1])
  local known = redis.call('mget', unpack(KEYS, 2))
  local answer = {tonumber(stock[1])}
  for i = 2, #ARGV do
    local quantity, flags = tonumber(ARGV[i]), 0
    if quantity > available then flags = 1 end
    if known[i - 1] then
      local version, units = string.match(known[i - 1], '^(%d+):(%d+)$')
      if tonumber(version) >= returned and tonumber(units) + quantity > limit then flags = flags + 2 end
    end
    answer[i] = flags
  end
  return answer`;

/*
 * Write the stock of a sale, unless Redis has a newer version. 'returned' is the last version with more available units
 * than the one before it. Only a turn, which has just read the ledger, creates a missing sale, so a process that missed a
 * FLUSHALL cannot write an old version where there is none. ARGV: version, available, 1 if it may create, TTL in ms or
 * 0 to keep it. Answers the resulting {version, available}.
 */
const write = `
  local stock = redis.call('hmget', KEYS[1], 'version', 'available')
  local version, available = tonumber(ARGV[1]), tonumber(ARGV[2])
  if not stock[1] then
    if ARGV[3] ~= '1' then return {} end
    redis.call('hset', KEYS[1], 'version', version, 'available', available, 'returned', version)
  elseif version > tonumber(stock[1]) then
    redis.call('hset', KEYS[1], 'version', version, 'available', available)
    if available > tonumber(stock[2]) then redis.call('hset', KEYS[1], 'returned', version) end
  else
    version, available = tonumber(stock[1]), tonumber(stock[2])
  end
  if ARGV[4] ~= '0' then redis.call('pexpire', KEYS[1], ARGV[4]) end
  return {version, available}`;

/*
 * End a turn: confirm an epoch, the same or a new one, if this process still has the turn.
 * ARGV: its token, the epoch, its TTL in ms, the pause until the next turn in ms. Answers 1, or 0 if the turn was lost.
 */
const publish = `
  if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
  redis.call('set', KEYS[2], ARGV[2], 'px', ARGV[3])
  redis.call('pexpire', KEYS[1], ARGV[4])
  return 1`;
