import { ConfigError } from '../platform/config/config.js';
import { EmbeddedPostgresError } from '../platform/embedded-postgres/postgres-errors.js';
import { OperatingError } from '../platform/errors.js';
import { program } from './program.js';

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`doorbuster: ${describe(error)}\n`);
  process.exitCode = 1;
}

// An error that the operator can fix is printed without a stack. Anything else is a bug, and its stack is needed.
function describe(error: unknown): string {
  const isExpected =
    error instanceof ConfigError || error instanceof OperatingError || error instanceof EmbeddedPostgresError;
  if (isExpected) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
