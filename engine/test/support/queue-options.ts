import { createStuckSales } from '../../src/orders/stuck-sales.js';

/** What a queue of decisions tells others of, where nobody listens. */
export const createUnwatched = () => ({
  onStock: () => {},
  onEnd: () => {},
  onPoison: () => {},
  onBroken: () => {},
  stuckSales: createStuckSales(1),
});
