/** A repeating sale, and when it should be open: by local clock time, computed without the engine's library. */
export type Pattern = {
  name: string;
  cron: string;
  timeZone: string;
  minutes: number;
  /** Local time of day of its starts, such as `02:30`. Without it the sale starts every full hour. */
  timeOfDay?: string;
};

export const patterns: readonly Pattern[] = [
  // Each hour of the fortnight has a window, including those that a clock change repeats.
  { name: 'hourly in Berlin', cron: '0 * * * *', timeZone: 'Europe/Berlin', minutes: 30 },
  // The hours that autumn repeats and spring skips, and one that only shifts in UTC.
  ...(['Europe/Berlin', 'America/New_York'] as const).flatMap(timeZone => [
    {
      name: `nights at half past one, ${timeZone}`,
      cron: '30 1 * * *',
      timeZone,
      minutes: 60,
      timeOfDay: '01:30',
    },
    {
      name: `nights at half past two, ${timeZone}`,
      cron: '30 2 * * *',
      timeZone,
      minutes: 60,
      timeOfDay: '02:30',
    },
    { name: `evenings at eight, ${timeZone}`, cron: '0 20 * * *', timeZone, minutes: 30, timeOfDay: '20:00' },
  ]),
];

const halfHourMs = 1_800_000;
type Candidates = { date: string; starts: number[]; afterGap: number | undefined };

/** The first start at or after `from`. */
export function firstStart(pattern: Pattern, from: Date): Date {
  const dayMs = 86_400_000;
  const [first] = halfHours(from, new Date(from.getTime() + 2 * dayMs)).filter(atMs =>
    isStart(pattern, atMs),
  );
  if (first === undefined) throw new Error(`${pattern.name} has no start within two days`);
  return new Date(first);
}

/**
 * Problems of a series' windows. A time of day that the clocks show twice is one start. One that they skip is no start,
 * or one at the first moment after the gap.
 *
 * @param starts all of those from `from` on and before `to`.
 */
export function problemsOf(pattern: Pattern, starts: readonly Date[], from: Date, to: Date): string[] {
  const made = starts.map(start => start.getTime());
  const problems = pattern.timeOfDay
    ? datesOf(pattern, from, to).flatMap(date => problemOfDate(date, made, pattern))
    : halfHours(from, to)
        .filter(atMs => isStart(pattern, atMs) && !made.includes(atMs))
        .map(atMs => `no window at ${new Date(atMs).toISOString()}`);
  const isKnown = (atMs: number) => isStart(pattern, atMs) || isAfterGap(pattern, atMs);
  const strangers = made
    .filter(atMs => !isKnown(atMs))
    .map(atMs => `a window at ${new Date(atMs).toISOString()}`);
  const repeated = made
    .filter((atMs, position) => made.indexOf(atMs) !== position)
    .map(atMs => `two at ${atMs}`);
  return [...problems, ...strangers, ...repeated].map(problem => `${pattern.name}: ${problem}`);
}

function problemOfDate(
  { date, starts, afterGap }: Candidates,
  made: readonly number[],
  pattern: Pattern,
): string[] {
  const found = made.filter(atMs => localOf(pattern.timeZone, atMs).date === date);
  if (starts.length > 0 && found.length !== 1) return [`${found.length} windows on ${date}`];
  if (starts.length > 0) return [];
  return found.every(atMs => atMs === afterGap) ? [] : [`a window on ${date}, which has no such time`];
}

function datesOf(pattern: Pattern, from: Date, to: Date): Candidates[] {
  const dates = new Map<string, Candidates>();
  for (const atMs of halfHours(from, to)) {
    const { date } = localOf(pattern.timeZone, atMs);
    const known = dates.get(date) ?? { date, starts: [], afterGap: undefined };
    if (isStart(pattern, atMs)) known.starts.push(atMs);
    if (isAfterGap(pattern, atMs)) known.afterGap = atMs;
    dates.set(date, known);
  }
  return [...dates.values()];
}

function halfHours(from: Date, to: Date): number[] {
  const firstMs = Math.ceil(from.getTime() / halfHourMs) * halfHourMs;
  const count = Math.max(0, Math.ceil((to.getTime() - firstMs) / halfHourMs));
  return Array.from({ length: count }, (_, position) => firstMs + position * halfHourMs);
}

function isStart({ timeZone, timeOfDay }: Pattern, atMs: number): boolean {
  const { time } = localOf(timeZone, atMs);
  return timeOfDay === undefined ? time.endsWith(':00') : time === timeOfDay;
}

/** Whether the clocks have just jumped over the pattern's time of day. */
function isAfterGap({ timeZone, timeOfDay = '' }: Pattern, atMs: number): boolean {
  const before = localOf(timeZone, atMs - 1).time;
  const after = localOf(timeZone, atMs).time;
  return before < timeOfDay && timeOfDay < after;
}

const formats = new Map<string, Intl.DateTimeFormat>();

// Swedes write dates as ISO 8601 does.
function localOf(timeZone: string, atMs: number): { date: string; time: string } {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  formats.set(timeZone, format);
  const [date = '', time = ''] = format.format(atMs).split(' ');
  return { date, time };
}
