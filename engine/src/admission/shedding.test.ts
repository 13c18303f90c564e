import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createShedding, type Shedding, type Urgency } from './shedding.js';

const urgencies: Urgency[] = ['browsing', 'buying', 'finishing'];

describe('shedding', () => {
  let nowMs = 0;
  let waitMs = 0;
  let shedding: Shedding;

  beforeEach(() => {
    vi.useFakeTimers();
    nowMs = 0;
    waitMs = 0;
    shedding = create({ lagMaxMs: 500, waitMaxMs: 500 });
  });

  afterEach(() => {
    shedding.close();
    vi.useRealTimers();
  });

  function create(limits: { lagMaxMs: number; waitMaxMs: number }): Shedding {
    return createShedding({ ...limits, oldestWaitMs: () => waitMs, nowMs: () => nowMs });
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

  it('refuses browsing first, then buying, and finishing last, by the age of the oldest decision', () => {
    const seen = [100, 249, 250, 499, 500, 999, 1000, 5000].map(age => {
      waitMs = age;
      sample(1);
      return [age, refused().length];
    });
    expect(seen).toEqual([
      [100, 0],
      [249, 0],
      [250, 1],
      [499, 1],
      [500, 2],
      [999, 2],
      [1000, 3],
      [5000, 3],
    ]);
    expect(refused()).toEqual(urgencies);
  });

  it('refuses in the same order by how late the event loop is', () => {
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

  it('goes on to refuse until both signs are at half of what brought it, and then stops', () => {
    waitMs = 600;
    sample(1);
    waitMs = 300;
    sample(50);
    expect(refused()).toEqual(['browsing', 'buying']);
    waitMs = 200;
    sample(1);
    expect(refused()).toEqual(['browsing']);
    waitMs = 120;
    sample(1);
    expect(refused()).toEqual([]);
  });

  it('is normal again within a second after the last late turn, however late they were', () => {
    sample(100, 3000);
    expect(refused()).toEqual(urgencies);
    sample(20);
    expect(refused()).toEqual([]);
  });

  it('never refuses by a sign whose limit is 0', () => {
    shedding.close();
    shedding = create({ lagMaxMs: 0, waitMaxMs: 0 });
    waitMs = 60_000;
    sample(100, 10_000);
    expect(refused()).toEqual([]);
  });
});
