import pino, { type Logger } from 'pino';
import type { ErrorReport } from './error-reports.js';

export type LoggerOptions = {
  destination?: pino.DestinationStream;
  /** Called for each line of level error or fatal. */
  onError?: ((report: ErrorReport) => void) | undefined;
};

/**
 * One line of JSON per event, on stderr: stdout is for the user of the command. Fields of library errors are logged
 * without secrets: a failed Redis command has its arguments, which may be a password, and an HTTP error has its headers.
 */
export function createLogger(
  level: string,
  { destination = pino.destination(2), onError }: LoggerOptions = {},
): Logger {
  return pino(
    {
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: hidden, censor: '(hidden)' },
      ...(onError && { hooks: { logMethod: tell(onError) } }),
    },
    destination,
  );
}

const secretNames = ['authorization', 'cookie', 'password', 'secret', 'token', 'apiKey'];

// pino redacts only the given paths, not every depth: a logged object, an object within it, and headers.
const hidden = [
  ...secretNames.flatMap(name => [name, `*.${name}`, `*.headers.${name}`]),
  'err.command.args',
  'err.connectionString',
];

// pino's numeric levels.
const levels = { error: 50, fatal: 60 };

// Every line of level error is also reported as an error, so this is the one place that reports.
function tell(onError: (report: ErrorReport) => void) {
  return function logMethod(
    this: Logger,
    args: Parameters<pino.LogFn>,
    method: pino.LogFn,
    level: number,
  ): void {
    if (level >= levels.error) onError(readLine(args, level));
    method.apply(this, args);
  };
}

/** A line is a message, or fields and a message. */
function readLine([first, second]: readonly unknown[], level: number): ErrorReport {
  return {
    level: level >= levels.fatal ? 'fatal' : 'error',
    message: String(typeof first === 'string' ? first : second),
    fields: typeof first === 'object' && first !== null ? { ...first } : {},
  };
}
