import { createStuckSales } from '../../src/orders/stuck-sales.js';

/** The hooks of a decision queue, without any observer. */
export const createUnwatched = () => ({
  onStock: () => {},
  onEnd: () => {},
  onPoison: () => {},
  onBroken: () => {},
  stuckSales: createStuckSales(1),
});
