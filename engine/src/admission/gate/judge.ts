import { phaseOf, retryDoubtMs } from '../../catalog/calendar.js';
import type { Sale } from '../../catalog/sales.js';
import type { Stock } from '../../ledger/stock.js';
import type { DatabaseClock } from '../../platform/database-clock.js';
import type { GateRefusal } from './gate.js';

// Near the edge of a sale's window this process's idea of the database's clock is not good enough to refuse by.
const clockDoubtMs = 250;

/**
 * What this process makes of a request from memory alone, in the ledger's order of precedence: the part that every gate
 * begins with. After `open` there may be more to ask; `in-doubt` is the ledger's, all of it. A request that may be a retry is
 * refused only what stays refused: its first try may be on its way to COMMIT, in whichever process, and what passes again may
 * pass before that. The ledger decides it under the sale's lock, behind a first try that has got there.
 */
export function judge(
  { sale, quantity, mayBeRetry }: { sale: Sale; quantity: number; mayBeRetry: boolean },
  clock: DatabaseClock,
  stock: Stock | undefined,
): GateRefusal | 'open' | 'in-doubt' {
  const opened = openness(sale, clock, clockDoubtMs);
  // A wider doubt never makes a sale that is surely open, or in doubt, one that is surely not.
  if (opened === 'not-open') {
    return mayBeRetry && mayOpenAgain(sale, clock) ? 'in-doubt' : 'sale-not-open';
  }
  // "Not open" stands before the refusals below. While it is in doubt, they are the ledger's to give.
  if (opened === 'in-doubt') return 'in-doubt';
  if (quantity > sale.perUserLimit) return 'limit-reached';
  if (!stock || quantity <= stock.available) return 'open';
  return mayBeRetry && mayComeBack(stock, quantity) ? 'in-doubt' : 'sold-out';
}

// Units that are held may be given back; units that are sold never are. If even then too few were left, then a first try
// was either decided before this stock was committed, and its order can be read, or it is refused as well.
function mayComeBack(stock: Stock, quantity: number): boolean {
  return quantity <= stock.allocation - stock.sold;
}

function mayOpenAgain(sale: Sale, clock: DatabaseClock): boolean {
  return phaseOf(sale, clock.nowMs()) === 'paused' || openness(sale, clock, retryDoubtMs) !== 'not-open';
}

/** Whether the sale is open at every moment that may be now, at none of them, or nobody here can tell. */
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
