import { count } from '../../ui/format';

/** 0, 3.4, 1,240. */
export function rate(value: number): string {
  return value < 10 ? String(Math.round(value * 10) / 10) : count(Math.round(value));
}

/** A latency, or a dash where nothing was measured. */
export function millis(value: number | null): string {
  return value === null ? '–' : `${rate(value)} ms`;
}

/** An age: 320 ms, 4.2 s, 3 min. */
export function age(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}

/** `sold-out` -> `Sold out` */
export function named(slug: string): string {
  const words = slug.replaceAll('-', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
