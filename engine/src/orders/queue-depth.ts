import { shareQueueAge } from '../ledger/queue-watch.js';
import type { Pool } from '../platform/postgres.js';
import type { Depth, OrderQueue } from '../queue/order-queue.js';

export type ReadDepth = () => Promise<Depth>;

export type ReadDepthOptions = {
  pool: Pool;
  queue: OrderQueue;
  /** The queue is not in this database, so a process sees only the messages that pass through it. */
  isQueueOutside: boolean;
};

/** Like `queue.depth`, but with the age that all processes together have seen. */
export function createReadDepth({ pool, queue, isQueueOutside }: ReadDepthOptions): ReadDepth {
  if (!isQueueOutside) return () => queue.depth();
  return async () => {
    const depth = await queue.depth();
    return { ...depth, oldestAgeMs: await shareQueueAge(pool, depth.oldestAgeMs) };
  };
}
