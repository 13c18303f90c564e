import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { findSalesToWarm } from '../../catalog/warm-sales.js';
import { readStock, type Stock } from '../../ledger/stock.js';
import type { Queryable } from '../../platform/postgres.js';
import type { RedisLink } from '../../platform/redis-link.js';
import { defineScripts, epochKey, stockKey, turnKey } from './redis-scripts.js';

export type Turn = { epoch: string; warmed: number; isRebuilt: boolean };

// A sale is put into Redis ten minutes before it opens. Beyond this number, the later sales are decided without Redis.
const warmAheadMs = 600_000;
const warmMax = 2000;
// Commands sent at a time, so that a turn over many sales does not delay shoppers' questions.
const chunkMax = 100;
// A turn takes two queries and some milliseconds. If a process dies during its turn, another takes over after this
// time.
const turnMaxMs = 3000;
const pauseMs = 1000;
/**
 * How long Redis is trusted after it was last compared with the ledger: two lost turns. A process reads the epoch every
 * half second, so a gate that lets too few through recovers within 10 s, whatever has failed.
 */
export const vouchedForMs = 6000;

/**
 * Takes a turn at keeping Redis in step with the ledger, for all processes: one of them does it, once a second. It
 * writes the stock of the sales that are open or open soon. It starts a new epoch in two cases. Either no process has
 * confirmed one lately (a flush, a restart, an eviction, no memory left for writes), or Redis has versions that the
 * ledger has not reached (a restored or lagging database).
 *
 * @returns undefined if another process has the turn, or if this one lost it before the work was done.
 */
export function createTakeTurn(link: RedisLink, db: Queryable): () => Promise<Turn | undefined> {
  defineScripts(link);

  async function writeAll(epoch: string, stocks: readonly Stock[]): Promise<Stock[]> {
    const written: Stock[] = [];
    for (let from = 0; from < stocks.length; from += chunkMax) {
      const chunk = stocks.slice(from, from + chunkMax);
      written.push(...(await Promise.all(chunk.map(stock => create(link, epoch, stock)))));
    }
    return written;
  }

  // What Redis holds was in the ledger when it was written, so a later read of the ledger has at least that version.
  async function isAheadOfLedger(written: readonly Stock[], stocks: readonly Stock[]): Promise<boolean> {
    const ahead = written.filter((stock, position) => differs(stock, stocks[position]));
    if (ahead.length === 0) return false;
    const saleIds = ahead.map(({ saleId }) => saleId);
    const ledger = new Map((await readStock(db, saleIds)).map(stock => [stock.saleId, stock]));
    return ahead.some(stock => {
      const truth = ledger.get(stock.saleId);
      return (
        !truth || truth.version < stock.version || (truth.version === stock.version && differs(truth, stock))
      );
    });
  }

  return async () => {
    const token = randomToken();
    const hasTurn = await link.send(redis => redis.set(turnKey, token, 'PX', turnMaxMs, 'NX'));
    if (hasTurn === null) return undefined;

    const current = await link.send(redis => redis.get(epochKey));
    const stocks = await readStock(db, await findSalesToWarm(db, warmAheadMs, warmMax));
    const isCurrent = current !== null && !(await isAheadOfLedger(await writeAll(current, stocks), stocks));
    const epoch = isCurrent ? current : randomToken();
    if (!isCurrent) await writeAll(epoch, stocks);

    const published = await link.send(redis =>
      redis.gatePublish(turnKey, epochKey, token, epoch, vouchedForMs, pauseMs),
    );
    return published === 1 ? { epoch, warmed: stocks.length, isRebuilt: !isCurrent } : undefined;
  };
}

/** With this TTL, a sale that turns no longer write expires as soon as an epoch that is no longer confirmed. */
async function create(link: RedisLink, epoch: string, stock: Stock): Promise<Stock> {
  const { saleId, version, available } = stock;
  const reply = await link.send(redis =>
    redis.gateWrite(stockKey(epoch, saleId), version, available, 1, vouchedForMs),
  );
  const [versionNow, availableNow] = writtenSchema.parse(reply);
  return { ...stock, version: versionNow, available: availableNow };
}

const writtenSchema = z.tuple([z.number(), z.number()]);

function differs(one: Stock, other: Stock | undefined): boolean {
  return one.version !== other?.version || one.available !== other.available;
}

function randomToken(): string {
  return randomBytes(9).toString('base64url');
}
