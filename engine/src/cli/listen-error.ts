import type { Config } from '../platform/config/config.js';
import { OperatingError } from '../platform/errors.js';

/** What a person can do about an address that can not be listened at; any other error as it is. */
export function explainListenError(error: unknown, { HOST, PORT }: Config): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  const reasons: Record<string, string> = {
    EADDRINUSE: 'is taken by another process',
    EACCES: 'may not be used by this user',
    EADDRNOTAVAIL: 'is no address of this machine',
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
