import { followLedger } from '../../admission/follow-ledger.js';
import { createStockViews, type StockViews } from '../../admission/stock-views.js';
import { createCalendar } from '../../catalog/calendar.js';
import { createAttempts } from '../../ledger/attempts.js';
import { createOrderFollower } from '../../orders/follow-orders.js';
import type { Parts } from '../parts.js';

export type Memory = ReturnType<typeof createMemory>;

/** What this process remembers of the ledger, and what it still has to write to it. */
export function createMemory(parts: Parts) {
  const { config, logger, pool, connection, decisions, warn, followStock, faultBroadcast, clock, outage } =
    parts;
  const { instruments } = parts;
  const calendar = createCalendar(pool, clock);
  const orderFollower = createOrderFollower({ db: pool, onError: warn('could not read followed orders') });
  const warnOfFollower = warn('error on the connection that follows the ledger');
  const follower = followLedger({
    connection,
    clock,
    calendar,
    views: () => views,
    onOrders: orderFollower.changed,
    onFaults: faultBroadcast.hear,
    // Usually the first to notice an outage, so that later orders need not try in vain.
    onError(error) {
      warnOfFollower(error);
      void outage.suspect();
    },
  });
  const views: StockViews = createStockViews(pool, follower.isLive);
  followStock(views.apply);
  const attempts = createAttempts({
    pool,
    clock,
    bufferMax: config.ATTEMPTS_BUFFER_MAX,
    onAttempt: ({ outcome }) => instruments.refusedAttempts.add(outcome),
    onError: warn('could not write attempts'),
  });

  async function close(): Promise<void> {
    await decisions.drained();
    await attempts.close(config.DRAIN_TIMEOUT_MS);
    const dropped = attempts.dropped();
    if (dropped > 0) logger.warn({ dropped }, 'attempts were dropped without being written');
    await follower.close();
  }

  return { calendar, views, attempts, orderFollower, close };
}
