import { LRUCache } from 'lru-cache';

/**
 * Keeps sales that wait for a lock from holding all connections. A sale is stuck once a batch of it has run into a timeout,
 * and until one is committed; the batches of all stuck sales together take a bounded number of connections.
 */
export type StuckSales = {
  /** @returns what the batch calls when it is over, true if it ran into a timeout; undefined where it has to wait. */
  begin(saleId: number): ((hasTimedOut: boolean) => void) | undefined;
};

// Beyond these the one that timed out longest ago gets a connection once more before it counts as stuck again.
const salesMax = 1000;

/** @param connectionsMax how many connections stuck sales may hold together. */
export function createStuckSales(connectionsMax: number): StuckSales {
  const stuck = new LRUCache<number, true>({ max: salesMax });
  let underWayCount = 0;

  return {
    begin(saleId) {
      const isStuck = stuck.has(saleId);
      if (isStuck && underWayCount >= connectionsMax) return undefined;
      if (isStuck) underWayCount += 1;
      return hasTimedOut => {
        if (isStuck) underWayCount -= 1;
        if (hasTimedOut) stuck.set(saleId, true);
        else stuck.delete(saleId);
      };
    },
  };
}
