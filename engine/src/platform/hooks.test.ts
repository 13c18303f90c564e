import { describe, expect, it } from 'vitest';
import { type Ended, type Hook, withHooks } from './hooks.js';

describe('a call with hooks', () => {
  it('runs its hooks in order when it begins, and in reverse order when it ends', async () => {
    const told: string[] = [];
    const result = await withHooks([note('a', told), note('b', told)], 1, async call => {
      told.push('made');
      return call + 1;
    });

    expect(result).toBe(2);
    expect(told).toEqual(['a begins', 'b begins', 'made', 'b ended with 2', 'a ended with 2']);
  });

  it('is not made if a hook refuses it, and the earlier hooks see the refusal', async () => {
    const told: string[] = [];
    const refuse = () => Promise.reject(new Error('a fault'));
    const calling = withHooks([note('a', told), refuse, note('b', told)], 1, async () => told.push('made'));

    await expect(calling).rejects.toThrow('a fault');
    expect(told).toEqual(['a begins', 'a ended with Error: a fault']);
  });

  it('fails with the error of the called function, and waits for a slow hook', async () => {
    const told: string[] = [];
    const slow = () => new Promise<undefined>(resolve => setTimeout(() => resolve(undefined), 10));
    const calling = withHooks([slow, note('a', told)], 1, () => Promise.reject(new Error('a failure')));

    await expect(calling).rejects.toThrow('a failure');
    expect(told).toEqual(['a begins', 'a ended with Error: a failure']);
  });

  it('receives the argument as the hook changed it', async () => {
    const named: Hook<string, string> = call => ({ call: `${call}, of a span` });
    expect(await withHooks([named], 'a call', async call => call)).toBe('a call, of a span');
  });
});

function note(name: string, told: string[]): Hook<number, number> {
  return () => {
    told.push(`${name} begins`);
    return { ended: (ended: Ended<number>) => void told.push(`${name} ended with ${outcomeOf(ended)}`) };
  };
}

function outcomeOf(ended: Ended<number>): string {
  return 'error' in ended ? String(ended.error) : String(ended.result);
}
