import type { Config } from '../config/config.js';
import type { ErrorReports } from './error-reports.js';

type Settings = Pick<Config, 'SENTRY_DSN' | 'NODE_ENV'>;

/**
 * Reports errors to Sentry if SENTRY_DSN is set; without it, no code of Sentry is loaded.
 *
 * @param onTrouble called if a report could not be delivered, at most once a minute.
 */
export async function startErrorReports(
  { SENTRY_DSN: dsn, NODE_ENV: environment }: Settings,
  onTrouble: (error: unknown) => void,
): Promise<ErrorReports | undefined> {
  if (dsn === undefined) return undefined;
  const { createSentry } = await import('./sentry.js');
  return createSentry({ dsn, environment, onTrouble });
}
