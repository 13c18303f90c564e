import pino, { type Logger } from 'pino';

/**
 * One line of JSON for each event, on stderr: stdout is for whoever started it. What a library's error brings along is
 * logged without secrets: a failed command of Redis has its arguments, which may be a password; an error of HTTP its headers.
 */
export function createLogger(
  level: string,
  destination: pino.DestinationStream = pino.destination(2),
): Logger {
  return pino(
    { level, timestamp: pino.stdTimeFunctions.isoTime, redact: { paths: hidden, censor: '(hidden)' } },
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
