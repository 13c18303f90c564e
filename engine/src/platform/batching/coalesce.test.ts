import { describe, expect, it } from 'vitest';
import { coalesce } from './coalesce.js';

describe('coalesce', () => {
  it('loads the keys of one turn together, and leaves those beyond keysMax to the next load', async () => {
    const loads: number[][] = [];
    const get = coalesce<number, number>(
      async keys => {
        loads.push([...keys]);
        return keys.map(key => key * 10);
      },
      { keysMax: 3, waitersMax: 100, deadlineMs: 1000 },
    );

    expect(await Promise.all([1, 2, 3, 4].map(get))).toEqual([10, 20, 30, 40]);
    expect(loads).toEqual([[1, 2, 3], [4]]);
  });

  it('refuses waiters beyond waitersMax, and waiters whose load does not begin before their deadline', async () => {
    let finish = (_values: number[]) => {};
    const get = coalesce<number, number>(() => new Promise(resolve => (finish = resolve)), {
      keysMax: 1,
      waitersMax: 2,
      deadlineMs: 60,
    });

    const first = get(1);
    const second = get(2);
    await expect(get(3)).rejects.toMatchObject({ code: 'OVERLOADED' });
    await expect(second).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true });
    finish([10]);
    expect(await first).toBe(10);
  });

  it('reports a failure to the callers that waited for that load, and to no later caller', async () => {
    let calls = 0;
    const load = async (keys: readonly number[]) => {
      calls += 1;
      if (calls === 1) throw new Error('down');
      return keys;
    };
    const get = coalesce<number, number>(load, { keysMax: 10, waitersMax: 10, deadlineMs: 1000 });

    await expect(get(1)).rejects.toThrow('down');
    expect(await get(1)).toBe(1);
  });

  it('begins its loads apartMs from each other, and loads what came in between together', async () => {
    const loads: { atMs: number; keys: number[] }[] = [];
    const get = coalesce<number, number>(
      async keys => {
        loads.push({ atMs: performance.now(), keys: [...keys] });
        return keys;
      },
      { keysMax: 10, waitersMax: 10, deadlineMs: 1000, apartMs: 400 },
    );

    expect(await get(1)).toBe(1);
    const later = get(2);
    await new Promise(resolve => setImmediate(resolve));
    expect(await Promise.all([later, get(3)])).toEqual([2, 3]);

    const [first, second] = loads;
    expect([first?.keys, second?.keys]).toEqual([[1], [2, 3]]);
    // A timer may fire up to a millisecond early.
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(398);
  });
});
