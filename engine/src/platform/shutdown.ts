import type { Logger } from 'pino';
import { messageOf } from './errors.js';

// Ctrl-C reaches the whole process group, and npm also passes it on: one key press arrives here twice.
const samePressMs = 1000;

/**
 * Runs `close` once at SIGTERM or SIGINT and then ends the process. A second signal, or `close` taking longer than
 * `timeoutMs`, ends it at once: accepted orders are durable, so only answers in progress are lost.
 */
export function onShutdown(timeoutMs: number, logger: Logger, close: () => Promise<void>): void {
  let firstSignalAtMs: number | undefined;
  const handle = (signal: NodeJS.Signals) => {
    if (firstSignalAtMs !== undefined) {
      if (performance.now() - firstSignalAtMs > samePressMs) process.exit(1);
      return;
    }
    firstSignalAtMs = performance.now();
    logger.info({ signal }, 'shutting down');
    setTimeout(() => {
      logger.error('shutting down took too long');
      process.exit(1);
    }, timeoutMs).unref();
    close().then(
      () => process.exit(0),
      error => {
        logger.error({ reason: messageOf(error) }, 'shutting down failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', handle);
  process.on('SIGINT', handle);
}
