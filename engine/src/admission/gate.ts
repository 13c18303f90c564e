import { phaseOf } from '../catalog/calendar.js';
import type { Sale } from '../catalog/sales.js';
import type { DatabaseClock } from '../platform/database-clock.js';
import type { StockViews } from './stock-views.js';

export type GateRefusal = 'sale-not-open' | 'limit-reached' | 'sold-out';

/**
 * Says from memory alone what the ledger would refuse: a purchase that cannot succeed never reaches PostgreSQL. Check
 * only. It may let too many through, and in doubt it does; the ledger has the last word.
 */
export type Gate = {
  /** @param mayBeRetry the request has a key, and its first try may still be on its way to COMMIT. */
  check(sale: Sale, quantity: number, mayBeRetry: boolean): GateRefusal | undefined;
};

// Near the edge of a sale's window this process's idea of the database's clock is not good enough to refuse by.
const clockDoubtMs = 250;
// A retry right after the end of its sale waits in the ledger's queue behind a first try that is still committing there;
// no statement lasts longer than this.
const retryDoubtMs = 15_000;

export function createGate(views: StockViews, clock: DatabaseClock): Gate {
  return {
    check(sale, quantity, mayBeRetry) {
      const isOpen = (doubtMs: number) => openness(sale, clock, doubtMs);
      if (isOpen(mayBeRetry ? retryDoubtMs : clockDoubtMs) === 'not-open') return 'sale-not-open';
      // "Not open" stands before the refusals below. While it is in doubt, they are the ledger's to give.
      if (isOpen(clockDoubtMs) !== 'open') return undefined;
      if (quantity > sale.perUserLimit) return 'limit-reached';
      const stock = views.peek(sale.saleId);
      return stock && quantity > stock.available ? 'sold-out' : undefined;
    },
  };
}

/** Whether the sale is open at every moment that may be now, at none of them, or nobody here can tell. */
function openness(sale: Sale, clock: DatabaseClock, allowanceMs: number): 'open' | 'not-open' | 'in-doubt' {
  const nowMs = clock.nowMs();
  const doubtMs = allowanceMs + clock.errorMs();
  if (!Number.isFinite(doubtMs)) return 'in-doubt';
  const moments = [nowMs - doubtMs, nowMs, nowMs + doubtMs];
  const openCount = moments.filter(atMs => phaseOf(sale, atMs) === 'open').length;
  if (openCount === moments.length) return 'open';
  return openCount === 0 ? 'not-open' : 'in-doubt';
}
