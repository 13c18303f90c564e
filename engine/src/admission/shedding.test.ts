import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createShedding, type Shedding, type Urgency } from './shedding.js';

const urgencies: Urgency[] = ['browsing', 'buying', 'finishing'];

describe('shedding', () => {
  let nowMs = 0;
  let shedding: Shedding;

  beforeEach(() => {
    vi.useFakeTimers();
    nowMs = 0;
    shedding = create(500);
  });

  afterEach(() => {
    shedding.close();
    vi.useRealTimers();
  });

  function create(lagMaxMs: number): Shedding {
    return createShedding({ lagMaxMs, nowMs: () => nowMs });
  }

  /** Takes `times` samples, each `lateMs` late. */
  function sample(times: number, lateMs = 0): void {
    for (let n = 0; n < times; n++) {
      nowMs += 50 + lateMs;
      vi.advanceTimersByTime(50);
    }
  }

  const refused = () => urgencies.filter(urgency => shedding.refuses(urgency));

  it('refuses nothing while the event loop keeps up', () => {
    sample(100, 100);
    expect(refused()).toEqual([]);
  });

  it('refuses browsing first, then buying, then finishing an order, as the lag of the event loop grows', () => {
    const seen = [300, 600, 1200].map(lateMs => {
      sample(40, lateMs);
      return refused();
    });
    expect(seen).toEqual([['browsing'], ['browsing', 'buying'], urgencies]);
  });

  it('tolerates a single long turn of the event loop', () => {
    sample(1, 900);
    expect(refused()).toEqual([]);
    sample(20);
    expect(shedding.state()).toMatchObject({ level: 'none' });
  });

  it('keeps refusing until the lag falls to half of what triggered it', () => {
    sample(100, 600);
    expect(refused()).toEqual(['browsing', 'buying']);
    sample(100, 300);
    expect(refused()).toEqual(['browsing', 'buying']);
    sample(100, 200);
    expect(refused()).toEqual(['browsing']);
    sample(100, 100);
    expect(refused()).toEqual([]);
  });

  it('is back to normal within a second of the last late turn, however large the lag was', () => {
    sample(100, 3000);
    expect(refused()).toEqual(urgencies);
    sample(20);
    expect(refused()).toEqual([]);
  });

  it('never refuses when its limit is 0', () => {
    shedding.close();
    shedding = create(0);
    sample(100, 10_000);
    expect(refused()).toEqual([]);
  });
});
