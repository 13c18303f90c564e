import { describe, expect, it } from 'vitest';
import { nextStart, problemOf, type Recurrence } from './recurrence.js';

const hourly = { cron: '0 * * * *', timeZone: 'Europe/Berlin' };

describe('the starts of a series', () => {
  it('include every hour that passes when the clocks go back, 25 on that day', () => {
    const starts = startsBetween(hourly, '2026-10-24T21:59:59Z', '2026-10-25T23:00:00Z');
    expect(starts).toEqual(hoursFrom('2026-10-24T22:00:00Z', 25));
  });

  it('include every hour that passes when the clocks go forward, 23 on that day', () => {
    const starts = startsBetween(hourly, '2026-03-28T22:59:59Z', '2026-03-29T22:00:00Z');
    expect(starts).toEqual(hoursFrom('2026-03-28T23:00:00Z', 23));
  });

  it.each([
    ['is repeated', '2026-10-24', ['2026-10-24T00:30:00Z', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z']],
    ['is skipped', '2026-03-28', ['2026-03-28T01:30:00Z', '2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z']],
  ])('occur once a day for a time of day that %s', (_what, day, expected) => {
    const daily = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };
    const starts = startsBetween(daily, `${day}T00:00:00Z`, '2027-01-01T00:00:00Z').slice(0, 3);
    expect(starts).toEqual(expected.map(iso => new Date(iso).toISOString()));
  });
});

describe('a window that repeats', () => {
  const berlin = 'Europe/Berlin';
  it.each([
    ['an hour, hourly', 3600, hourly],
    ['a day, daily, across a day of 23 hours', 86_400, { cron: '0 9 * * *', timeZone: berlin }],
    ['two minutes, each workday', 120, { cron: '0 9 * * MON-FRI', timeZone: 'America/New_York' }],
    ['a day, on 29 February', 86_400, { cron: '0 0 29 2 *', timeZone: 'UTC' }],
  ])('may last %s', (_what, seconds, recurrence) => {
    expect(problemOf(windowOf(recurrence, seconds))).toBeUndefined();
  });

  it.each([
    ['an hour and a second, hourly', 3601, hourly, 'endsAt'],
    [
      'longer than the shortest gap of its pattern',
      7200,
      { cron: '0 9,10 * * *', timeZone: 'UTC' },
      'endsAt',
    ],
    ['a fraction of a second', 0.5, hourly, 'endsAt'],
    ['with seconds in the pattern', 60, { cron: '0 0 * * * *', timeZone: 'UTC' }, 'cron'],
    ['with four fields', 60, { cron: '0 * * *', timeZone: 'UTC' }, 'cron'],
    ['with a nickname', 60, { cron: '@hourly', timeZone: 'UTC' }, 'cron'],
    ['with a date', 60, { cron: '2027-01-01T00:00:00', timeZone: 'UTC' }, 'cron'],
    ['with minute 60', 60, { cron: '60 * * * *', timeZone: 'UTC' }, 'cron'],
    ['on a day that never occurs', 60, { cron: '0 0 30 2 *', timeZone: 'UTC' }, 'cron'],
    ['with 101 characters', 60, { cron: `${'0,'.repeat(46)}0 * * * *`, timeZone: 'UTC' }, 'cron'],
    ['in a zone that does not exist', 60, { ...hourly, timeZone: 'Europe/Atlantis' }, 'timeZone'],
    ['with an offset as its zone', 60, { ...hourly, timeZone: '+02:00' }, 'timeZone'],
    ['without a zone', 60, { ...hourly, timeZone: '' }, 'timeZone'],
    ['in a zone of 65 characters', 60, { ...hourly, timeZone: 'A'.repeat(65) }, 'timeZone'],
  ])('is refused: %s', (_what, seconds, recurrence, field) => {
    const problem = problemOf(windowOf(recurrence, seconds));
    expect(problem?.path.at(-1)).toBe(field);
    expect(problem?.message).toMatch(/^expected /);
  });

  it('may have a pattern of 100 characters', () => {
    const cron = `${'0,'.repeat(45)}00 * * * *`;
    expect(cron).toHaveLength(100);
    expect(problemOf(windowOf({ cron, timeZone: 'UTC' }, 60))).toBeUndefined();
  });
});

function windowOf(recurrence: Recurrence, seconds: number) {
  const startsAt = new Date('2026-03-20T08:00:00Z');
  return { startsAt, endsAt: new Date(startsAt.getTime() + seconds * 1000), recurrence };
}

function startsBetween(recurrence: Recurrence, after: string, before: string): string[] {
  const starts: string[] = [];
  let start = nextStart(recurrence, new Date(after));
  while (start && start < new Date(before)) {
    starts.push(start.toISOString());
    start = nextStart(recurrence, start);
  }
  return starts;
}

function hoursFrom(first: string, count: number): string[] {
  return Array.from({ length: count }, (_, hour) =>
    new Date(new Date(first).getTime() + hour * 3_600_000).toISOString(),
  );
}
