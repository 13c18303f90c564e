import { expect, it } from 'vitest';
import { until } from '../../../test/support/condition.js';
import { createLiveBroadcast } from './live-broadcast.js';

it('computes one frame for all readers, stops after the last one leaves, and starts again for the next', async () => {
  let begun = 0;
  let computed = 0;
  const source = { begin: () => void begun++, compute: async () => ++computed };
  const live = createLiveBroadcast(source, 5);
  const seen: number[][] = [[], []];
  const unfollow = seen.map(frames => live.follow(frame => void frames.push(frame)));
  await until('there are some frames', () => (seen[0]?.length ?? 0) >= 3);
  expect(seen[0]?.slice(0, 3)).toEqual([1, 2, 3]);
  expect(seen[1]).toEqual(seen[0]);

  for (const leave of unfollow) leave();
  const countLeft = computed;
  await until('it has stopped', async () => {
    const before = computed;
    await new Promise(resolve => setTimeout(resolve, 25));
    return computed === before;
  });
  // One may have been in progress.
  expect(computed - countLeft).toBeLessThanOrEqual(1);

  let next: number | undefined;
  live.follow(frame => {
    next ??= frame;
  });
  await until('a later reader gets frames', () => next !== undefined);
  expect({ begun, isNew: (next ?? 0) > countLeft }).toEqual({ begun: 2, isNew: true });
});
