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
});
