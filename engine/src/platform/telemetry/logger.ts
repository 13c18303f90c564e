import pino, { type Logger } from 'pino';
import type { ErrorReport } from './error-reports.js';

export type LoggerOptions = {
  destination?: pino.DestinationStream;
  /** Told of each line that says error or worse. */
  onError?: ((report: ErrorReport) => void) | undefined;
};

/**
 * One line of JSON for each event, on stderr: stdout is for whoever started it. What a library's error brings along is
 * logged without secrets: a failed command of Redis has its arguments, which may be a password; an error of HTTP its headers.
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

// pino looks at the places that it is told, not at every depth: at an object that is logged, one within it, and headers.
const hidden = [
  ...secretNames.flatMap(name => [name, `*.${name}`, `*.headers.${name}`]),
  'err.command.args',
  'err.connectionString',
];

// As pino counts them.
const levels = { error: 50, fatal: 60 };

// Whatever is worth an error in the log is worth one to whoever watches errors: so there is one place that says so.
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
