import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { findSalesToWarm } from '../../catalog/warm-sales.js';
import { readStock, type Stock } from '../../ledger/stock.js';
import type { Queryable } from '../../platform/postgres.js';
import type { RedisLink } from '../../platform/redis-link.js';
import { defineScripts, epochKey, stockKey, turnKey } from './redis-scripts.js';

export type Turn = { epoch: string; warmed: number; isRebuilt: boolean };

// Ten minutes before it opens a sale is in Redis. With more sales than this the later ones are decided without it.
const warmAheadMs = 600_000;
const warmMax = 2000;
// Commands sent at a time, so that a turn over many sales does not stand in the way of shoppers' questions.
const chunkMax = 100;
// A turn is two queries and some milliseconds; whoever died in one is replaced after this.
const turnMaxMs = 3000;
const pauseMs = 1000;
/**
 * How long Redis is believed after it was last compared with the ledger: two lost turns. With the half second in which a
 * process asks for the epoch again, what lets too few in is over within 10 s, whatever has failed.
 */
export const vouchedForMs = 6000;

/**
 * Takes a turn at keeping Redis in step with the ledger, for all processes: one does it, once a second. It writes the
 * stock of the sales that are open or soon will be. Where nobody has vouched for an epoch lately (a flush, a restart, an
 * eviction, no memory left to write), or Redis knows versions that the ledger has not reached (a restored or lagging
 * database), it starts a new epoch.
 *
 * @returns undefined if it is not our turn, or was no longer when the work was done.
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

  // What stands in Redis was in the ledger when it was written there, so a ledger that is read later has it or more.
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

/** The TTL makes a sale that turns no longer write go away as soon as an epoch that nobody vouches for. */
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
