import { describe, expect, it } from 'vitest';
import { createStuckSales } from './stuck-sales.js';

describe('stuck sales', () => {
  it('take turns on a bounded number of connections, and leave the rest to other sales', () => {
    const { begin } = createStuckSales(2);
    for (const saleId of [1, 2, 3]) begin(saleId)?.(true);

    const turns = [begin(1), begin(2)];
    expect(turns.every(turn => turn !== undefined)).toBe(true);
    expect(begin(3)).toBeUndefined();
    // This includes a second batch of a sale whose turn it already is, such as its settlements.
    expect(begin(1)).toBeUndefined();
    expect(begin(4)).toBeDefined();

    turns[0]?.(true);
    expect(begin(3)).toBeDefined();
  });

  it('recover once one of their batches commits', () => {
    const { begin } = createStuckSales(1);
    for (const saleId of [1, 2]) begin(saleId)?.(true);
    const turn = begin(1);
    expect(begin(2)).toBeUndefined();
    turn?.(false);
    expect([begin(1), begin(1), begin(2)].every(next => next !== undefined)).toBe(true);
  });
});
