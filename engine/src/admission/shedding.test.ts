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

  /** Samples this often, each as late as that. */
  function sample(times: number, lateMs = 0): void {
    for (let n = 0; n < times; n++) {
      nowMs += 50 + lateMs;
      vi.advanceTimersByTime(50);
    }
  }

  const refused = () => urgencies.filter(urgency => shedding.refuses(urgency));

  it('refuses nobody while all is well', () => {
    sample(100, 100);
    expect(refused()).toEqual([]);
  });

  it('refuses browsing first, then buying, and finishing last, by how late the event loop is', () => {
    const seen = [300, 600, 1200].map(lateMs => {
      sample(40, lateMs);
      return refused();
    });
    expect(seen).toEqual([['browsing'], ['browsing', 'buying'], urgencies]);
  });

  it('takes one long turn of the event loop for what it is', () => {
    sample(1, 900);
    expect(refused()).toEqual([]);
    sample(20);
    expect(shedding.state()).toMatchObject({ level: 'none' });
  });

  it('goes on to refuse until the lag is at half of what brought it, and then stops', () => {
    sample(100, 600);
    expect(refused()).toEqual(['browsing', 'buying']);
    sample(100, 300);
    expect(refused()).toEqual(['browsing', 'buying']);
    sample(100, 200);
    expect(refused()).toEqual(['browsing']);
    sample(100, 100);
    expect(refused()).toEqual([]);
  });

  it('is normal again within a second after the last late turn, however late they were', () => {
    sample(100, 3000);
    expect(refused()).toEqual(urgencies);
    sample(20);
    expect(refused()).toEqual([]);
  });

  it('never refuses where its limit is 0', () => {
    shedding.close();
    shedding = create(0);
    sample(100, 10_000);
    expect(refused()).toEqual([]);
  });
});
