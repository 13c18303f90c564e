/** How long the queued orders of each sale wait before the worker tries to decide them again. */
export type SaleBackoff = {
  /** 0 for a sale whose last orders were decided. */
  restMs(saleId: number): number;
  /**
   * Notes that orders of the sale which joined at `joinedAtMs` were not decided.
   *
   * @returns how long they wait.
   */
  grow(saleId: number, joinedAtMs: number): number;
  end(saleId: number): void;
};

// Doubles from here, so that orders wait about as long again as their sale has been stuck.
const firstRestMs = 1000;
// 60,000 orders of a stuck sale are then 2,000 messages a second, a sixth of what one worker takes.
const restMaxMs = 30_000;
// Far more sales than are open at once. Forgetting one costs one try that is too early.
const salesMax = 1000;

/**
 * One stuck sale must not hold up others, and its messages must not circulate without pause: during the backoff, its orders
 * go back into the queue untried.
 */
export function createSaleBackoff(): SaleBackoff {
  const resting = new Map<number, { restMs: number; sinceMs: number }>();

  return {
    restMs(saleId) {
      const rest = resting.get(saleId);
      return rest ? Math.max(0, rest.sinceMs + rest.restMs - performance.now()) : 0;
    },
    grow(saleId, joinedAtMs) {
      const before = resting.get(saleId);
      // All orders of one batch count as one try.
      if (before && joinedAtMs <= before.sinceMs) return before.restMs;
      const restMs = before ? Math.min(2 * before.restMs, restMaxMs) : firstRestMs;
      if (!before && resting.size >= salesMax) resting.clear();
      resting.set(saleId, { restMs, sinceMs: performance.now() });
      return restMs;
    },
    end: saleId => void resting.delete(saleId),
  };
}
