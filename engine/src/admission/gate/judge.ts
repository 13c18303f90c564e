import { phaseOf } from '../../catalog/calendar.js';
import { retryDoubtMs, type Sale } from '../../catalog/sales.js';
import type { Stock } from '../../ledger/stock.js';
import type { DatabaseClock } from '../../platform/database-clock.js';
import type { GateRefusal } from './gate.js';

// Close to the edge of a sale's window, this process's estimate of the database's clock is not exact enough for a
// refusal.
const clockDoubtMs = 250;

/**
 * What this process can tell about a request from memory alone, in the ledger's order of precedence. Every gate begins
 * with this. After `open` there may be more to check; `in-doubt` leaves everything to the ledger. A request that may be
 * a retry is refused only for reasons that stay true: its first try may be on its way to COMMIT in any process, and may
 * still succeed. The ledger decides the retry under the sale's lock, behind a first try that got there before it.
 */
export function judge(
  { sale, quantity, mayBeRetry }: { sale: Sale; quantity: number; mayBeRetry: boolean },
  clock: DatabaseClock,
  stock: Stock | undefined,
): GateRefusal | 'open' | 'in-doubt' {
  const opened = openness(sale, clock, clockDoubtMs);
  // A wider margin of doubt never turns a sale that is open or in doubt into one that is surely not open.
  if (opened === 'not-open') {
    return mayBeRetry && mayOpenAgain(sale, clock) ? 'in-doubt' : 'sale-not-open';
  }
  // "Not open" takes precedence over the refusals below, so while it is in doubt, the ledger has to give them.
  if (opened === 'in-doubt') return 'in-doubt';
  if (quantity > sale.perUserLimit) return 'limit-reached';
  if (!stock || quantity <= stock.available) return 'open';
  return mayBeRetry && mayComeBack(stock, quantity) ? 'in-doubt' : 'sold-out';
}

// Held units may come back; sold units never do. If too few would be left even then, the first try either was decided
// before this stock was committed, so its order can be read, or is refused as well.
function mayComeBack(stock: Stock, quantity: number): boolean {
  return quantity <= stock.allocation - stock.sold;
}

function mayOpenAgain(sale: Sale, clock: DatabaseClock): boolean {
  return phaseOf(sale, clock.nowMs()) === 'paused' || openness(sale, clock, retryDoubtMs) !== 'not-open';
}

/** Whether the sale is open at every possible value of now, at none, or only at some, which leaves it in doubt. */
function openness(sale: Sale, clock: DatabaseClock, allowanceMs: number): 'open' | 'not-open' | 'in-doubt' {
  const nowMs = clock.nowMs();
  const doubtMs = allowanceMs + clock.errorMs();
  if (!Number.isFinite(doubtMs)) return 'in-doubt';
  const openCount = openAt(sale, nowMs - doubtMs) + openAt(sale, nowMs) + openAt(sale, nowMs + doubtMs);
  if (openCount === 3) return 'open';
  return openCount === 0 ? 'not-open' : 'in-doubt';
}

function openAt(sale: Sale, atMs: number): 0 | 1 {
  return phaseOf(sale, atMs) === 'open' ? 1 : 0;
}
