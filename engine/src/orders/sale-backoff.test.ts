import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSaleBackoff } from './sale-backoff.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

describe('a sale whose orders cannot be decided', () => {
  it('backs off for 1, 2, 4 ... seconds, at most 30, until one of its orders is decided', () => {
    const backoff = createSaleBackoff();
    const restsMs = Array.from({ length: 7 }, () => {
      vi.advanceTimersByTime(1);
      const restMs = backoff.grow(1, performance.now());
      expect(backoff.restMs(1)).toBe(restMs);
      vi.advanceTimersByTime(restMs);
      expect(backoff.restMs(1)).toBe(0);
      return restMs;
    });
    expect(restsMs).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(backoff.restMs(2)).toBe(0);

    backoff.end(1);
    expect(backoff.grow(1, performance.now())).toBe(1000);
  });

  it('backs off once for all orders of a batch', () => {
    const backoff = createSaleBackoff();
    const joinedAtMs = performance.now();
    vi.advanceTimersByTime(100);
    expect([1, 2, 3].map(() => backoff.grow(1, joinedAtMs))).toEqual([1000, 1000, 1000]);
  });

  it('is retried too early, at worst, after a thousand other sales have pushed it out of memory', () => {
    const backoff = createSaleBackoff();
    for (let saleId = 0; saleId < 1000; saleId++) backoff.grow(saleId, performance.now());
    expect(backoff.restMs(0)).toBe(1000);
    backoff.grow(1000, performance.now());
    expect([backoff.restMs(0), backoff.restMs(1000)]).toEqual([0, 1000]);
  });
});
