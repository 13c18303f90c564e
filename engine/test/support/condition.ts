import { until as untilWithin } from '../../drill/until.js';

/** Waits until `check` returns a truthy value, polling every few milliseconds. @throws after `timeoutMs`. */
export function until<T>(
  what: string,
  check: () => T | Promise<T>,
  timeoutMs = 20_000,
): Promise<NonNullable<T>> {
  return untilWithin(what, check, timeoutMs);
}
