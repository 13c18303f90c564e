import { expect, it, vi } from 'vitest';
import { createHolds } from './holds.js';
import { entranceOf, isAbandoned } from './mix.js';

const MIX = { shares: { direct: 60, checkout: 25, queued: 15 }, abandonPercent: 20 };
const hundred = (from: number) => Array.from({ length: 100 }, (_, i) => from + i);

it.each([0, 37, 12_345])('each hundred shoppers in a row, from %i on, spread by the shares', from => {
  const count = (road: string) => hundred(from).filter(i => entranceOf(MIX, i) === road).length;
  expect(['direct', 'checkout', 'queued'].map(count)).toEqual([60, 25, 15]);
});

it.each([
  [20, 20],
  [0, 0],
  [1, 1],
  [100, 100],
])('with %i percent, %i of each hundred checkouts are abandoned', (abandonPercent, expected) => {
  const visits = Array.from({ length: 400 }, (_, i) => 800 + i);
  const checkouts = visits.filter(i => entranceOf(MIX, i) === 'checkout');
  expect(checkouts).toHaveLength(100);
  expect(checkouts.filter(i => isAbandoned({ ...MIX, abandonPercent }, i))).toHaveLength(expected);
});

it('only holds that may have ended after a refusal excuse units left unsold', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const holds = createHolds();
    for (const ordinal of [1, 2, 3]) {
      holds.add(ordinal, { orderId: `order ${ordinal}`, code: `code ${ordinal}` }, ordinal === 1);
      vi.advanceTimersByTime(1_000);
    }
    const nowMs = performance.now();
    expect(holds.countUnredeemedSince(nowMs - 2_500)).toBe(2);
    expect(holds.takeDue()).toBe(3);
    expect(holds.present(3)).toBe('code 3');
    holds.settle(3, 'confirmed');
    expect(holds.countUnredeemedSince(nowMs - 2_500)).toBe(1);
    expect([holds.takeDue(), holds.takeDue()]).toEqual([2, -1]);
  } finally {
    vi.useRealTimers();
  }
});
