import type { Config } from '../config/config.js';
import type { ErrorReports } from './error-reports.js';

type Settings = Pick<Config, 'SENTRY_DSN' | 'NODE_ENV'>;

/**
 * Errors to Sentry where SENTRY_DSN is set; without it nothing of it is loaded.
 *
 * @param onTrouble told when one could not be delivered, at most once a minute.
 */
export async function startErrorReports(
  { SENTRY_DSN: dsn, NODE_ENV: environment }: Settings,
  onTrouble: (error: unknown) => void,
): Promise<ErrorReports | undefined> {
  if (dsn === undefined) return undefined;
  const { createSentry } = await import('./sentry.js');
  return createSentry({ dsn, environment, onTrouble });
}
