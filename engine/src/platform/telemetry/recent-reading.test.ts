import { describe, expect, it } from 'vitest';
import { createRecentReading } from './recent-reading.js';

describe('a shared reading', () => {
  it('is made once for all callers within its lifetime', async () => {
    let count = 0;
    const reading = createRecentReading(async () => ++count, { keptMs: 60_000 });
    const values = await Promise.all(Array.from({ length: 100 }, reading.get));
    expect(new Set(values)).toEqual(new Set([1]));
    expect(await reading.get()).toBe(1);
  });

  it('is made again once it is stale', async () => {
    let count = 0;
    const reading = createRecentReading(async () => ++count, { keptMs: 0 });
    expect([await reading.get(), await reading.get()]).toEqual([1, 2]);
  });

  it('does not keep its callers waiting for long if it hangs, and is not started a second time meanwhile', async () => {
    let count = 0;
    let answer = (_value: number) => {};
    const hanging = () => {
      count += 1;
      return new Promise<number>(resolve => {
        answer = resolve;
      });
    };
    const reading = createRecentReading(hanging, { keptMs: 60_000, timeoutMs: 10 });
    expect([await reading.get(), await reading.get(), count, reading.isOk()]).toEqual([
      ...[undefined, undefined, 1, false],
    ]);
    answer(7);
    expect([await reading.get(), reading.isOk()]).toEqual([7, true]);
  });

  it('has no value if it fails, and is not retried more often than one that works', async () => {
    let count = 0;
    const failing = async (): Promise<number> => {
      count += 1;
      throw new Error('down');
    };
    const reading = createRecentReading(failing, { keptMs: 60_000 });
    expect([await reading.get(), await reading.get(), count, reading.isOk()]).toEqual([
      ...[undefined, undefined, 1, false],
    ]);
  });
});
