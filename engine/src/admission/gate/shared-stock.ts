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

/** What the processes of an installation tell each other through Redis. None of it throws, and none of it is the truth. */
export type SharedStock = {
  /** The epoch to read and write under; undefined while Redis is not to be relied on. */
  epoch(): string | undefined;
  /** After COMMIT, by the process that committed. What is lost on the way is mended by the next turn, within a second. */
  write(stock: Stock): void;
  /** Reads from the ledger what a shopper has who was refused for the limit, and has every process know for 5 s. */
  writeUnits(saleId: number, shopperId: string): void;
  /** Takes a turn at keeping Redis in step with the ledger, if it is ours. @returns 0, as a job that waits for its time. */
  keep(): Promise<number>;
  close(): Promise<void>;
};

// Units that come back void what is known of a sale's buyers, but not where two changes arrive as one. So they are
// forgotten, and a shopper who asks in vain reaches the ledger once in this time.
const unitsKnownMs = 5000;
// Sales whose stock waits to be written; a process decides a few hundred at a time.
const pendingMax = 2000;
// Shoppers beyond this are not remembered: they reach the ledger once more.
const refused = { keysMax: 500, waitersMax: 2000, deadlineMs: 1000 };

export type SharedStockOptions = {
  link: RedisLink;
  db: Queryable;
  /** Told when turns begin to fail. */
  onError: (error: unknown) => void;
};

export function createSharedStock({ link, db, onError }: SharedStockOptions): SharedStock {
  const takeTurn = createTakeTurn(link, db);
  const epoch = followEpoch(link, takeTurn, onError);
  const pending = new Map<string, { key: string; stock: Stock }>();
  let writing: Promise<void> | undefined;
  const rememberUnits = createRememberUnits(link, db, epoch.current);

  // One round at a time: under load each carries the newest stock of every sale, however many batches that was.
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

/** Puts what refused shoppers have into Redis, as the ledger says, those of one sale together. */
function createRememberUnits(link: RedisLink, db: Queryable, currentEpoch: Epoch['current']) {
  return coalesce<{ saleId: number; shopperId: string }, undefined>(async shoppers => {
    for (const [saleId, ofSale] of groupBySale(shoppers, shopper => shopper.saleId)) {
      const shopperIds = ofSale.map(({ shopperId }) => shopperId);
      // Named before the ledger is read: what is read under one epoch is not written under the next.
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

/** For the scheduler, so that a sale is in Redis before it opens, also where no API runs yet. */
export function createKeepGate({ keep }: SharedStock): Job {
  return { name: 'keep-gate', everyMs: 1000, run: keep };
}
