import type { DatabaseClock } from '../../platform/database-clock.js';
import type { StockViews } from '../stock-views.js';
import type { Gate } from './gate.js';
import { judge } from './judge.js';

/** The gate of one process, from its memory: no round trip and no promise. It does not know buyers' units. */
export function createMemoryGate(views: StockViews, clock: DatabaseClock): Gate {
  return {
    check(sale, _shopperId, quantity, mayBeRetry) {
      const verdict = judge({ sale, quantity, mayBeRetry }, clock, views.peek(sale.saleId));
      return verdict === 'open' || verdict === 'in-doubt' ? undefined : verdict;
    },
    limitReached() {},
    countDisagreements: views.countDisagreements,
  };
}
