import { LRUCache } from 'lru-cache';
import { readStock, type Stock } from '../ledger/stock.js';
import { sleep } from '../platform/backoff.js';
import { coalesce } from '../platform/batching/coalesce.js';
import type { Queryable } from '../platform/postgres.js';

/**
 * Stock as this process remembers it. Its own decisions and the ledger's notifications move it forward, and it is read
 * again every second in case a notification was lost. It is only advice: it may say "sold out" a moment late or a
 * moment too long, and never grants anything.
 */
export type StockViews = {
  /** The remembered stock; undefined if it is not known or cannot be trusted. */
  peek(saleId: number): Stock | undefined;
  /** The remembered stock, or one read shared by all who ask at the same time; undefined for an unknown sale. */
  read(saleId: number): Promise<Stock | undefined>;
  /** Applies a newer version; an older or equal one changes nothing. */
  apply(stock: Stock): void;
  /** How many remembered sales differ from these stocks of the ledger, once notifications under way have arrived. */
  countDisagreements(stocks: readonly Stock[]): Promise<number>;
  /** Reads every remembered sale again, and forgets those that no longer exist. */
  refresh(db: Queryable): Promise<void>;
};

// More sales than shoppers look at in the same minute, and still one short query a second to read again.
const viewsMax = 2000;
const loads = { keysMax: 1000, waitersMax: 20_000, deadlineMs: 2000 };

/** @param agreesWithinMs a view that lets too few through recovers within this; see the heartbeat of the listener. */
export function createStockViews(db: Queryable, isLive: () => boolean, agreesWithinMs = 10_000): StockViews {
  const views = new LRUCache<number, Stock>({ max: viewsMax });
  const load = coalesce<number, Stock | undefined>(async saleIds => {
    const byId = new Map((await readStock(db, saleIds)).map(stock => [stock.saleId, stock]));
    return saleIds.map(saleId => byId.get(saleId));
  }, loads);

  function apply(stock: Stock): void {
    const known = views.peek(stock.saleId);
    if (!known || known.version < stock.version) views.set(stock.saleId, stock);
  }

  function peek(saleId: number): Stock | undefined {
    return isLive() ? views.get(saleId) : undefined;
  }

  async function countWrong(snapshot: readonly Stock[]): Promise<number> {
    const suspects = snapshot.flatMap(stock => {
      const view = views.peek(stock.saleId);
      return view && !isSame(view, stock) ? [{ view, stock }] : [];
    });
    if (suspects.length === 0) return 0;
    // Read after the views, so the ledger cannot be behind a correct view.
    const ledger = new Map(
      (
        await readStock(
          db,
          suspects.map(({ view }) => view.saleId),
        )
      ).map(stock => [stock.saleId, stock]),
    );
    return suspects.filter(({ view, stock }) => isWrong(view, stock, ledger.get(view.saleId))).length;
  }

  return {
    peek,
    apply,
    async read(saleId) {
      const known = peek(saleId);
      if (known) return known;
      const stock = await load(saleId);
      if (stock) apply(stock);
      return stock;
    },
    async countDisagreements(stocks) {
      const giveUpAtMs = performance.now() + agreesWithinMs;
      for (;;) {
        const count = await countWrong(stocks);
        if (count === 0 || performance.now() > giveUpAtMs) return count;
        await sleep(100);
      }
    },
    async refresh(connection) {
      const saleIds = [...views.keys()];
      if (saleIds.length === 0) return;
      const before = new Map(saleIds.map(saleId => [saleId, views.peek(saleId)]));
      const read = new Map((await readStock(connection, saleIds)).map(stock => [stock.saleId, stock]));
      for (const [saleId, known] of before) {
        const stock = read.get(saleId);
        // A reset, a restore or a failover to a lagging standby moves versions back. So a view that did not change
        // during the read is replaced by what the ledger says, even if that is older.
        if (views.peek(saleId) !== known) continue;
        if (stock) views.set(saleId, stock);
        else views.delete(saleId);
      }
    },
  };
}

// A view older than the snapshot must catch up. A newer one has seen more, but no more than the ledger has by now.
function isWrong(view: Stock, snapshot: Stock, ledger: Stock | undefined): boolean {
  if (view.version <= snapshot.version) return true;
  if (!ledger || view.version > ledger.version) return true;
  return view.version === ledger.version && !isSame(view, ledger);
}

function isSame(view: Stock, stock: Stock): boolean {
  return view.version === stock.version && view.available === stock.available;
}
