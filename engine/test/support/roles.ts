import pino from 'pino';
import { onTestFinished } from 'vitest';
import { startApp } from '../../src/app/app.js';
import type { Role } from '../../src/app/roles.js';
import { secrets, testConfig } from './config.js';

export type TestRoles = {
  drain(): Promise<void>;
  /** The lines of its log so far, warnings and worse. */
  log: string[];
};

/** Roles without an API, as in a separate process; drained when the test ends. */
export async function startTestRoles(
  databaseUrl: string,
  roles: readonly Role[],
  env: Record<string, string> = {},
): Promise<TestRoles> {
  const log: string[] = [];
  const logger = pino({ level: 'warn' }, { write: line => log.push(line) });
  const app = await startApp({ roles, config: testConfig(env), secrets, databaseUrl, logger });
  onTestFinished(() => app.drain());
  return { drain: app.drain, log };
}
