import { onTestFinished } from 'vitest';
import { followLedger } from '../../src/admission/follow-ledger.js';
import type { Gate } from '../../src/admission/gate/gate.js';
import { createStockViews, type StockViews } from '../../src/admission/stock-views.js';
import { createGate, createShared, type Shared } from '../../src/app/shared-redis.js';
import { createCalendar } from '../../src/catalog/calendar.js';
import { createDecide, type Decision } from '../../src/ledger/decide.js';
import { orderIdOf } from '../../src/orders/order-id.js';
import { createDatabaseClock } from '../../src/platform/database-clock.js';
import { connectionOptions, createPool } from '../../src/platform/postgres.js';
import { until } from './condition.js';
import { testConfig } from './config.js';

/** The parts of one process: what it remembers, its gate, and its decisions. */
export type GateProcess = {
  gate: Gate;
  shared: Shared | undefined;
  views: StockViews;
  decide(saleId: number, shopperId: string, quantity?: number): Promise<Decision['outcome']>;
  /** Like a decision of this process that has just committed. */
  onStock: StockViews['apply'];
};

/** @param env REDIS_URL for the gate in Redis. */
export async function startGateProcess(url: string, env: Record<string, string> = {}): Promise<GateProcess> {
  const config = testConfig(env);
  const pool = createPool(url, config);
  const clock = createDatabaseClock();
  const follower = followLedger({
    connection: connectionOptions(url, config),
    clock,
    calendar: createCalendar(pool, clock),
    views: () => views,
    onOrders: () => {},
    onFaults: () => {},
    onError: () => {},
  });
  const views: StockViews = createStockViews(pool, follower.isLive);
  const shared = await createShared({ config, pool, warn: () => () => {} });
  const gate = createGate(shared, views, clock);
  onTestFinished(async () => {
    await shared?.stock.close();
    await follower.close();
    await pool.end();
  });
  await until('it follows the ledger', follower.isLive);
  if (shared) await until('a process vouches for Redis', shared.stock.epoch);

  const onStock: GateProcess['onStock'] = stock => {
    views.apply(stock);
    shared?.stock.write(stock);
  };
  const decide = createDecide(pool);
  let orders = 0;
  return {
    gate,
    shared,
    views,
    onStock,
    async decide(saleId, shopperId, quantity = 1) {
      const orderId = orderIdOf(shopperId, `order-${++orders}-${performance.now()}`);
      const request = { orderId, shopperId, quantity, receivedAtMs: performance.now() };
      const { decisions, stock } = await decide(saleId, [request]);
      if (stock) onStock(stock);
      const outcome = decisions[0]?.outcome ?? 'order-not-found';
      if (outcome === 'limit-reached') gate.limitReached(saleId, shopperId);
      return outcome;
    },
  };
}
