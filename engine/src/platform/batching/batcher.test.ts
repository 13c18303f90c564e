import { expect, it } from 'vitest';
import { createBatcher } from './batcher.js';

it('a batcher answers every waiter, even if 200,000 of them expire in the same sweep', async () => {
  let finish = () => {};
  const { join, waiting } = createBatcher<string, number, string>({
    async serve(_, batch) {
      await new Promise<void>(resolve => {
        finish = resolve;
      });
      for (const { answer } of batch) answer('served');
    },
    batchMax: 1,
    deadlineMs: 20,
    isFull: () => false,
    refusal: 'late',
  });
  const first = join('a key', 0);
  await new Promise(resolve => setImmediate(resolve));
  const others = Array.from({ length: 200_000 }, (_, position) => join('a key', position));

  expect(new Set(await Promise.all(others))).toEqual(new Set(['late']));
  expect(waiting()).toBe(0);
  finish();
  expect(await first).toBe('served');
});
