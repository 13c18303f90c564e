import { LRUCache } from 'lru-cache';
import { pause } from '../platform/backoff.js';
import type { Queryable } from '../platform/postgres.js';
import type { Stock } from './stock.js';

/** Tells every process that a sale has changed: its stock, or the status of its orders. */
export type Announce = {
  /**
   * Call after COMMIT. Never waits, never throws: every process reads lost announcements from the ledger within a
   * second.
   */
  tell(stock: Stock): void;
  /** Sends what is pending. */
  close(): Promise<void>;
};

export const stockChannel = 'doorbuster_stock';

// A gate that learns of a change 20 ms later lets a few more requests through to the ledger; readers look five times a
// second.
const tellEveryMs = 20;
// If more sales change within the same 20 ms, the rest are not announced.
const salesMax = 2000;

/**
 * A notification locks the whole server until its transaction is on disk, so transactions that notify commit one after
 * the other, whatever their sales. Therefore no transaction that writes orders notifies. A later transaction, which writes
 * nothing and waits for no disk, announces the newest state of each sale, at most 50 times a second.
 */
export function createAnnounce(db: Queryable, onError: (error: unknown) => void): Announce {
  const pending = new Map<number, Stock>();
  // A batch that changed nothing leaves the version unchanged.
  const toldVersions = new LRUCache<number, number>({ max: salesMax });
  const closing = new AbortController();
  let telling: Promise<void> | undefined;

  async function tellPending(): Promise<void> {
    while (pending.size > 0) {
      const payloads = [...pending.values()].map(stock => JSON.stringify(stock));
      pending.clear();
      try {
        await db.query({ ...statement, values: [stockChannel, payloads] });
      } catch (error) {
        onError(error);
      }
      await pause(tellEveryMs, closing.signal);
    }
    telling = undefined;
  }

  return {
    tell(stock) {
      if ((toldVersions.get(stock.saleId) ?? -1) >= stock.version) return;
      if (pending.size >= salesMax && !pending.has(stock.saleId)) return;
      toldVersions.set(stock.saleId, stock.version);
      pending.set(stock.saleId, stock);
      telling ??= tellPending();
    },
    async close() {
      closing.abort();
      await telling;
    },
  };
}

// Purpose: notify. Locks: PostgreSQL's own lock on its notification queue, for the moment of a commit without a flush.
const statement = {
  name: 'announce',
  text: 'select pg_notify($1, payload) from unnest($2::text[]) as payload',
};
