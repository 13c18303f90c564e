import { shareQueueAge } from '../ledger/queue-watch.js';
import type { Pool } from '../platform/postgres.js';
import type { Depth, OrderQueue } from '../queue/order-queue.js';

export type ReadDepth = () => Promise<Depth>;

export type ReadDepthOptions = {
  pool: Pool;
  queue: OrderQueue;
  /** Not in this database, so that a process sees only what passes through itself. */
  isQueueOutside: boolean;
};

/** As `queue.depth`, with the age that all processes together know. */
export function createReadDepth({ pool, queue, isQueueOutside }: ReadDepthOptions): ReadDepth {
  if (!isQueueOutside) return () => queue.depth();
  return async () => {
    const depth = await queue.depth();
    return { ...depth, oldestAgeMs: await shareQueueAge(pool, depth.oldestAgeMs) };
  };
}
