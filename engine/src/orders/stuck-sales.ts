import { LRUCache } from 'lru-cache';

/**
 * Keeps sales that wait for a lock from holding all connections. A sale is stuck from the first batch that runs into a
 * timeout until the next one that commits. The batches of all stuck sales together take a bounded number of connections.
 */
export type StuckSales = {
  /** @returns a function to call when the batch ends, with true if it timed out; undefined if the batch has to wait. */
  begin(saleId: number): ((hasTimedOut: boolean) => void) | undefined;
};

// With more stuck sales than this, the one that timed out longest ago gets a connection once more before it counts as
// stuck again.
const salesMax = 1000;

/** @param connectionsMax how many connections all stuck sales together may hold. */
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
