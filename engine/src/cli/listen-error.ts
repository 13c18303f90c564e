import type { Config } from '../platform/config/config.js';
import { OperatingError } from '../platform/errors.js';

/** Explains why the process cannot listen on an address, and says the remedy; returns any other error unchanged. */
export function explainListenError(error: unknown, { HOST, PORT }: Config): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  const reasons: Record<string, string> = {
    EADDRINUSE: 'is already in use by another process',
    EACCES: 'is not permitted for this user',
    EADDRNOTAVAIL: 'is not an address of this machine',
  };
  const reason = reasons[String(error.code)];
  if (!reason) return error;
  return new OperatingError(
    'CANNOT_LISTEN',
    `${HOST}:${portOf(error) ?? PORT} ${reason}`,
    'Set HOST, PORT, METRICS_PORT and SANDBOX_PORT to free addresses',
    { cause: error },
  );
}

function portOf(error: object): unknown {
  return 'port' in error ? error.port : undefined;
}
