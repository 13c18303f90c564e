import { expect, it, onTestFinished } from 'vitest';
import { openShopFor, runFortnight } from '../drill/fortnight/fortnight.js';
import { problemsOf } from '../drill/fortnight/windows.js';

// Two days, and then forty days at once; `npm run drill -- --fortnight autumn` runs them all.
it("across a clock change, all due work is done, each day's audit is clean, and old rows are deleted", async () => {
  const said: string[] = [];
  const options = {
    season: 'autumn',
    isQuick: true,
    say: (message: string) => void said.push(message),
  } as const;
  const shop = await openShopFor(options);
  onTestFinished(shop.stop);

  const { days, breaches } = await runFortnight(shop, options);

  expect(breaches, said.join('\n')).toEqual([]);
  expect(days).toHaveLength(2);
}, 300_000);

const nights = {
  name: 'nights',
  cron: '30 2 * * *',
  timeZone: 'Europe/Berlin',
  minutes: 60,
  timeOfDay: '02:30',
};
const from = new Date('2033-10-29T00:00:00Z');
const to = new Date('2033-10-31T12:00:00Z');
const starts = ['2033-10-29T00:30:00Z', '2033-10-30T00:30:00Z', '2033-10-31T01:30:00Z'].map(
  text => new Date(text),
);

it('a night with no window, two windows, or a window at the wrong time is reported', () => {
  const found = (...made: Date[]) => problemsOf(nights, made, from, to);
  const [first = from, second = from, third = from] = starts;
  const hourMs = 3_600_000;
  const again = new Date(second.getTime() + hourMs);
  expect(found(first, second, third)).toEqual([]);
  expect(found(first, again, third)).toEqual([]);
  expect(found(first, third)).toEqual(['nights: 0 windows on 2033-10-30']);
  expect(found(first, second, again, third)).toEqual(['nights: 2 windows on 2033-10-30']);
  expect(found(first, second, new Date(third.getTime() - hourMs))).toEqual([
    'nights: a window at 2033-10-31T00:30:00.000Z',
  ]);
});
