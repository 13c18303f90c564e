import { fractionDigits } from '@doorbuster/client';

/** One locale for what the server renders too, so that a page does not change when the browser takes over. */
const locale = 'en-GB';

/** @param minor in minor units of the currency. */
export function money(minor: number, currency: string): string {
  const digits = fractionDigits(currency);
  const shown = minor % 10 ** digits === 0 ? 0 : digits;
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: shown,
    maximumFractionDigits: shown,
  }).format(minor / 10 ** digits);
}

export function count(value: number): string {
  return new Intl.NumberFormat(locale).format(value);
}

export function units(value: number): string {
  return value === 1 ? '1 unit' : `${count(value)} units`;
}

/** A moment in words; `timeZone` is the reader's own unless given. */
export function moment(iso: string, timeZone?: string): string {
  return new Intl.DateTimeFormat(locale, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    ...(timeZone && { timeZone, timeZoneName: 'short' }),
  }).format(new Date(iso));
}

/** A moment to the second, as whoever looks for the cause of something needs it. */
export function stamp(iso: string, timeZone?: string): string {
  return new Intl.DateTimeFormat(locale, {
    day: '2-digit',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    ...(timeZone && { timeZone, timeZoneName: 'short' }),
  }).format(new Date(iso));
}

type Remaining = { days: number; hours: number; minutes: number; seconds: number };

function remaining(ms: number): Remaining {
  const whole = Math.max(0, Math.ceil(ms / 1000));
  return {
    days: Math.floor(whole / 86_400),
    hours: Math.floor(whole / 3600) % 24,
    minutes: Math.floor(whole / 60) % 60,
    seconds: whole % 60,
  };
}

/** 4:05, or 1:04:05, or 2 d 04:05:09. */
export function clock(ms: number): string {
  const { days, hours, minutes, seconds } = remaining(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  if (days > 0) return `${days} d ${two(hours)}:${two(minutes)}:${two(seconds)}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}
