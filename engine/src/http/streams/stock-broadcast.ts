import type { StockViews } from '../../admission/stock-views.js';
import type { Calendar } from '../../catalog/calendar.js';
import type { DatabaseClock } from '../../platform/database-clock.js';
import { stockView } from '../answers/views.js';

export type StockView = ReturnType<typeof stockView>;

/** Reads the stock of a product's sale from memory; undefined if there is no product or no sale. */
export type LookAtStock = (productId: number) => Promise<StockView | undefined>;

export function createLookAtStock(parts: {
  calendar: Calendar;
  clock: DatabaseClock;
  views: StockViews;
}): LookAtStock {
  const { calendar, clock, views } = parts;
  return async productId => {
    const sale = (await calendar.offerOf(productId))?.sale;
    const units = sale && (await views.read(sale.saleId));
    return sale && units && stockView(sale, units, clock.nowMs());
  };
}

export type StockBroadcast = {
  /** Hands over the stock of the product whenever it changes. @returns unfollow */
  follow(productId: number, seen: StockView, onChange: (view: StockView) => void): () => void;
};

// Five updates a second look like motion, and shoppers see "sold out" well within a second.
const lookEveryMs = 200;
// Some 5 µs each. With more than 1,000 readers updates come less often, so they never cost more than a fortieth of a
// processor.
const messagesPerSecondMax = 5000;

type Followed = { seen: string; listeners: Set<(view: StockView) => void> };

/**
 * Tells any number of readers how stock changes. A sale that changes a thousand times a second is read five times. The
 * open streams bound the number of readers: each follows once.
 */
export function createStockBroadcast(look: LookAtStock): StockBroadcast {
  const followed = new Map<number, Followed>();
  let listenerCount = 0;
  let next: NodeJS.Timeout | undefined;

  async function lookAtAll(): Promise<void> {
    for (const [productId, entry] of followed) {
      // A failed read is tried again next time; readers keep what they last saw.
      const view = await look(productId).catch(() => undefined);
      if (!view || textOf(view) === entry.seen) continue;
      entry.seen = textOf(view);
      for (const listener of entry.listeners) listener(view);
    }
    schedule();
  }

  function schedule(): void {
    next = undefined;
    if (followed.size === 0) return;
    const pauseMs = Math.max(lookEveryMs, (listenerCount * 1000) / messagesPerSecondMax);
    next = setTimeout(lookAtAll, pauseMs).unref();
  }

  return {
    follow(productId, seen, onChange) {
      const entry = followed.get(productId) ?? { seen: textOf(seen), listeners: new Set() };
      followed.set(productId, entry);
      entry.listeners.add(onChange);
      listenerCount += 1;
      if (!next && followed.size === 1) schedule();
      return () => {
        if (!entry.listeners.delete(onChange)) return;
        listenerCount -= 1;
        if (entry.listeners.size === 0) followed.delete(productId);
      };
    },
  };
}

/** Everything but the time, which always changes. */
function textOf({ now: _, ...view }: StockView): string {
  return JSON.stringify(view);
}
