import { expect, it } from 'vitest';
import { pause } from './backoff.js';

it('fifty pauses on one signal cause no leak warning, and all end with the signal', async () => {
  const warnings: string[] = [];
  const onWarning = ({ name }: Error) => warnings.push(name);
  process.on('warning', onWarning);
  const controller = new AbortController();
  const paused = Promise.all(Array.from({ length: 50 }, () => pause(60_000, controller.signal)));
  // Node emits the warning in the next tick.
  await new Promise(resolve => setImmediate(resolve));
  controller.abort();
  await paused;
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});
