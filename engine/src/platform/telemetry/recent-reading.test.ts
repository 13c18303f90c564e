import { describe, expect, it } from 'vitest';
import { createRecentReading } from './recent-reading.js';

describe('a reading that is shared', () => {
  it('is made once, however many ask within the time that it is kept', async () => {
    let count = 0;
    const reading = createRecentReading(async () => ++count, { keptMs: 60_000 });
    const values = await Promise.all(Array.from({ length: 100 }, reading.get));
    expect(new Set(values)).toEqual(new Set([1]));
    expect(await reading.get()).toBe(1);
  });

  it('is made anew when it is old', async () => {
    let count = 0;
    const reading = createRecentReading(async () => ++count, { keptMs: 0 });
    expect([await reading.get(), await reading.get()]).toEqual([1, 2]);
  });

  it('that hangs keeps nobody waiting for long, and is not asked for a second time meanwhile', async () => {
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

  it('that fails is no value, and not tried more often than one that works', async () => {
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
