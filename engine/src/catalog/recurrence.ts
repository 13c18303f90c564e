import { Cron } from 'croner';

/** When a sale repeats: five cron fields (minute, hour, day of month, month, day of week), read in an IANA time zone. */
export type Recurrence = { cron: string; timeZone: string };

export type RepeatingWindow = { startsAt: Date; endsAt: Date; recurrence: Recurrence };

/** A field of the recurrence or of the window, and what was expected. */
export type RecurrenceProblem = { path: string[]; message: string };

export const cronLengthMax = 100;
export const timeZoneLengthMax = 64;

// Enough to cover every hour of a day and every day of a quarter; a hundred years of 29 February take 70 ms.
const startsCheckedMax = 100;

/** Why a window cannot repeat; undefined if it can. */
export function problemOf(window: RepeatingWindow): RecurrenceProblem | undefined {
  const { recurrence, startsAt, endsAt } = window;
  if (!isTimeZone(recurrence.timeZone))
    return { path: ['recurrence', 'timeZone'], message: 'expected an IANA time zone such as Europe/Berlin' };
  if (!isCron(recurrence.cron))
    return {
      path: ['recurrence', 'cron'],
      message: 'expected five cron fields (minute, hour, day, month, weekday) such as "0 * * * *"',
    };
  if ((endsAt.getTime() - startsAt.getTime()) % 1000 !== 0)
    return { path: ['endsAt'], message: 'expected a whole number of seconds after startsAt' };
  const next = nextStart(recurrence, startsAt);
  if (!next) return { path: ['recurrence', 'cron'], message: 'expected a time that comes after startsAt' };
  const latest = Math.min(next.getTime(), startsAt.getTime() + shortestGapMs(recurrence.cron, startsAt));
  if (endsAt.getTime() <= latest) return undefined;
  return {
    path: ['endsAt'],
    message: `expected at most ${new Date(latest).toISOString()}: a window ends before the next one begins`,
  };
}

/**
 * The window's next start after `after`. If daylight saving time repeats a local hour, a pattern of hours has two starts
 * there, and a pattern with a time of day has one. If it skips an hour, there is none, or the first moment after it.
 */
export function nextStart({ cron, timeZone }: Recurrence, after: Date): Date | undefined {
  return parse(cron, timeZone).nextRun(after) ?? undefined;
}

// In UTC, where no day has 23 hours: a daily window of a whole day is allowed, and the planner shortens it on a short day.
function shortestGapMs(cron: string, after: Date): number {
  const starts = parse(cron, 'UTC').nextRuns(startsCheckedMax, after);
  const gaps = starts.slice(1).map((start, before) => start.getTime() - (starts[before]?.getTime() ?? 0));
  return Math.min(Number.POSITIVE_INFINITY, ...gaps);
}

function parse(cron: string, timeZone: string): Cron {
  return new Cron(cron, { timezone: timeZone, mode: '5-part' });
}

// Croner itself also accepts nicknames (@hourly) and ISO dates; one way to write a pattern is enough.
function isCron(cron: string): boolean {
  if (cron.length > cronLengthMax || !/^\S+( \S+){4}$/.test(cron)) return false;
  try {
    parse(cron, 'UTC');
    return true;
  } catch {
    return false;
  }
}

// Some versions of Node also accept offsets such as +02:00, which have no daylight saving time.
function isTimeZone(timeZone: string): boolean {
  if (timeZone.length > timeZoneLengthMax || !/^[A-Za-z][\w+/-]*$/.test(timeZone)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
