import { LRUCache } from 'lru-cache';
import { coalesce } from '../platform/batching/coalesce.js';
import type { DatabaseClock } from '../platform/database-clock.js';
import type { Queryable } from '../platform/postgres.js';
import { type Product, readProducts } from './products.js';
import { readSales, retryDoubtMs, type Sale, type SalePhase } from './sales.js';

/** A product with its relevant sale: the one under way, else the next, else the last. */
export type Offer = { product: Product; sale: Sale | undefined };

/** Products and their sales in memory, so that finding the sale of a purchase costs no query. */
export type Calendar = {
  /** The offer if it is in memory: no promise, for the hot path. */
  peek(productId: number): Offer | undefined;
  /** undefined for a product that does not exist. */
  offerOf(productId: number): Promise<Offer | undefined>;
  /** The sale whose window ended so recently that a purchase may still be about to COMMIT there; from memory. */
  endedLately(productId: number): Sale | undefined;
  /** Call if the product has changed: reads it again, and answers from the old entry until then. Never throws. */
  refresh(productId: number): Promise<void>;
  /** Call if notifications may have been missed: each product is read again at its next use, and served as it was. */
  expire(): void;
};

type Entry = {
  product: Product;
  sales: readonly Sale[];
  readAtMs: number;
  /** The offer found last, and the time for which it was found: it stays the same if nothing is read. */
  offer: Offer;
  offerFromMs: number;
  offerUntilMs: number;
};

// Enough for a catalogue of drops; about 2 kB each.
const entriesMax = 10_000;
// Notifications announce changes at once; this only bounds the effect of a lost one.
const entryAgeMaxMs = 10_000;
const loads = { keysMax: 500, waitersMax: 20_000, deadlineMs: 2000 };

export function createCalendar(db: Queryable, clock: DatabaseClock): Calendar {
  const entries = new LRUCache<number, Entry>({ max: entriesMax });
  const refreshing = new Set<number>();
  const load = coalesce<number, Entry | undefined>(productIds => readEntries(db, productIds), loads);

  async function fetch(productId: number): Promise<Entry | undefined> {
    const entry = await load(productId);
    if (entry) entries.set(productId, entry);
    else entries.delete(productId);
    return entry;
  }

  // The old entry is used meanwhile, and also if this fails; the next request after its maximum age tries again.
  async function refresh(productId: number): Promise<void> {
    await fetch(productId).catch(() => {});
  }

  function refreshOnce(productId: number): void {
    if (refreshing.has(productId)) return;
    refreshing.add(productId);
    void refresh(productId).then(() => refreshing.delete(productId));
  }

  function peek(productId: number): Offer | undefined {
    const entry = entries.get(productId);
    if (!entry) return undefined;
    if (performance.now() - entry.readAtMs > entryAgeMaxMs) refreshOnce(productId);
    return offerOf(entry, clock.nowMs());
  }

  return {
    refresh,
    expire() {
      for (const entry of entries.values()) entry.readAtMs = Number.NEGATIVE_INFINITY;
    },
    peek,
    endedLately(productId) {
      const nowMs = clock.nowMs();
      const isLate = ({ endsAt }: Sale) =>
        nowMs >= endsAt.getTime() && nowMs - endsAt.getTime() < retryDoubtMs;
      return entries.get(productId)?.sales.findLast(isLate);
    },
    async offerOf(productId) {
      const known = peek(productId);
      if (known) return known;
      const entry = await fetch(productId);
      return entry && offerOf(entry, clock.nowMs());
    },
  };
}

/** The phase of the sale at `nowMs` by the database's clock. */
export function phaseOf(sale: Sale, nowMs: number): SalePhase {
  if (sale.status === 'ended' || nowMs >= sale.endsAt.getTime()) return 'ended';
  if (nowMs < sale.startsAt.getTime()) return 'upcoming';
  return sale.status === 'paused' ? 'paused' : 'open';
}

// A calibration may set the clock back to before the moment for which the offer was found.
function offerOf(entry: Entry, nowMs: number): Offer {
  if (nowMs >= entry.offerFromMs && nowMs < entry.offerUntilMs) return entry.offer;
  const { product, sales } = entry;
  const next = sales.find(sale => phaseOf(sale, nowMs) !== 'ended');
  entry.offer = { product, sale: next ?? sales.at(-1) };
  entry.offerFromMs = nowMs;
  entry.offerUntilMs = next ? next.endsAt.getTime() : Number.POSITIVE_INFINITY;
  return entry.offer;
}

async function readEntries(db: Queryable, productIds: readonly number[]): Promise<(Entry | undefined)[]> {
  const [products, sales] = await Promise.all([readProducts(db, productIds), readSales(db, productIds)]);
  const readAtMs = performance.now();
  return productIds.map(productId => {
    const product = products.find(row => row.productId === productId);
    if (!product) return undefined;
    const ofProduct = sales.filter(sale => sale.productId === productId);
    const offer = { product, sale: undefined };
    const never = { offerFromMs: Number.POSITIVE_INFINITY, offerUntilMs: Number.NEGATIVE_INFINITY };
    return { product, sales: ofProduct, readAtMs, offer, ...never };
  });
}
