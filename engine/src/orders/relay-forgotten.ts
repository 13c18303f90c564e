import { publishTakesMaxMs, takeForgottenOrders } from '../ledger/forgotten-orders.js';
import type { Pool } from '../platform/postgres.js';
import type { OrderQueue } from '../queue/order-queue.js';
import type { ReadDepth } from './queue-depth.js';

const ordersPerRoundMax = 1000;

export type RelayOptions = { pool: Pool; queue: OrderQueue; readDepth: ReadDepth };

/**
 * Re-publishes QUEUED orders whose message was probably lost. If it was not lost, the order is delivered twice and decided
 * once.
 *
 * @returns how many orders were published.
 */
export function createRelay({ pool, queue, readDepth }: RelayOptions): () => Promise<number> {
  return async () => {
    const { oldestAgeMs } = await readDepth();
    // No process has consumed yet or seen the queue empty, so all messages may still be there.
    if (oldestAgeMs === undefined) return 0;
    const orders = await takeForgottenOrders(pool, oldestAgeMs + publishTakesMaxMs, ordersPerRoundMax);
    await queue.publish(orders);
    return orders.length;
  };
}
