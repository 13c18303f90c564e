import { readUnits } from '../../ledger/allowances.js';
import type { Stock } from '../../ledger/stock.js';
import { coalesce } from '../../platform/batching/coalesce.js';
import type { Job } from '../../platform/jobs/job.js';
import type { Queryable } from '../../platform/postgres.js';
import type { RedisLink } from '../../platform/redis-link.js';
import { groupBySale } from './group-by-sale.js';
import { type Epoch, followEpoch } from './redis-epoch.js';
import { stockKey, unitsKey } from './redis-scripts.js';
import { createTakeTurn } from './redis-turns.js';

/** What the processes of an installation share through Redis. Nothing here throws, and none of it is authoritative. */
export type SharedStock = {
  /** The epoch to read and write under; undefined while Redis cannot be trusted. */
  epoch(): string | undefined;
  /** Called after COMMIT by the process that committed. The next turn repairs a lost write within a second. */
  write(stock: Stock): void;
  /**
   * Reads the units of a shopper who was refused because of the limit from the ledger, and shares them with all
   * processes for 5 s.
   */
  writeUnits(saleId: number, shopperId: string): void;
  /**
   * Takes a turn at keeping Redis in step with the ledger, if one is free. @returns 0, like a job that found nothing to
   * do.
   */
  keep(): Promise<number>;
  close(): Promise<void>;
};

// Units that come back invalidate what is known about a sale's buyers, except if two changes arrive as one. So this
// knowledge expires, and a shopper who keeps trying in vain reaches the ledger once in this time.
const unitsKnownMs = 5000;
// Sales whose stock waits to be written. A process decides a few hundred at a time.
const pendingMax = 2000;
// Shoppers beyond this are not remembered and reach the ledger once more.
const refused = { keysMax: 500, waitersMax: 2000, deadlineMs: 1000 };

export type SharedStockOptions = {
  link: RedisLink;
  db: Queryable;
  /** Called when turns begin to fail. */
  onError: (error: unknown) => void;
};

export function createSharedStock({ link, db, onError }: SharedStockOptions): SharedStock {
  const takeTurn = createTakeTurn(link, db);
  const epoch = followEpoch(link, takeTurn, onError);
  const pending = new Map<string, { key: string; stock: Stock }>();
  let writing: Promise<void> | undefined;
  const rememberUnits = createRememberUnits(link, db, epoch.current);

  // One round at a time. Under load each round writes the newest stock of every sale, however many batches that covers.
  async function writePending(): Promise<void> {
    while (pending.size > 0) {
      const writes = [...pending.values()];
      pending.clear();
      await Promise.allSettled(
        writes.map(({ key, stock: { version, available } }) =>
          link.send(redis => redis.gateWrite(key, version, available, 0, 0)),
        ),
      );
    }
    writing = undefined;
  }

  return {
    epoch: epoch.current,
    write(stock) {
      const under = epoch.current();
      if (under === undefined) return;
      const key = stockKey(under, stock.saleId);
      const known = pending.get(key);
      if (known ? known.stock.version >= stock.version : pending.size >= pendingMax) return;
      pending.set(key, { key, stock });
      writing ??= writePending();
    },
    writeUnits(saleId, shopperId) {
      if (epoch.current() !== undefined) rememberUnits({ saleId, shopperId }).catch(() => {});
    },
    async keep() {
      await takeTurn();
      return 0;
    },
    async close() {
      await epoch.close();
      await writing;
      link.close();
    },
  };
}

/** Writes the units of refused shoppers to Redis as the ledger has them, one query per sale. */
function createRememberUnits(link: RedisLink, db: Queryable, currentEpoch: Epoch['current']) {
  return coalesce<{ saleId: number; shopperId: string }, undefined>(async shoppers => {
    for (const [saleId, ofSale] of groupBySale(shoppers, shopper => shopper.saleId)) {
      const shopperIds = ofSale.map(({ shopperId }) => shopperId);
      // Read before the ledger: units that are read under one epoch are not written under the next.
      const readUnder = currentEpoch();
      if (readUnder === undefined) break;
      const known = await readUnits(db, saleId, shopperIds);
      await Promise.all(
        known.map(({ shopperId, units, version }) =>
          link.send(redis =>
            redis.set(unitsKey(readUnder, saleId, shopperId), `${version}:${units}`, 'PX', unitsKnownMs),
          ),
        ),
      );
    }
    return shoppers.map(() => undefined);
  }, refused);
}

/** For the scheduler, so that a sale is in Redis before it opens, even if no API is running yet. */
export function createKeepGate({ keep }: SharedStock): Job {
  return { name: 'keep-gate', everyMs: 1000, run: keep };
}
