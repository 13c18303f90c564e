import {
  type BaseTransportOptions,
  createStackParser,
  createTransport,
  type Exception,
  nodeStackLineParser,
  ServerRuntimeClient,
} from '@sentry/core';
import { sqlStateOf } from '../postgres.js';
import type { ErrorReport, ErrorReports } from './error-reports.js';
import { atMostPerSecond, seldom } from './rarely.js';

export type SentryOptions = { dsn: string; environment: string; onTrouble: (error: unknown) => void };

const sendTimeoutMs = 5000;
// A server that has not answered by then is down, and shutting down must not wait longer for it.
const closeTimeoutMs = 2000;
// If everything fails, the first ten errors of a second show the cause; the log has them all.
const reportsPerSecondMax = 10;
// Reports in flight; further ones are dropped.
const underWayMax = 64;
const causesMax = 5;
const charactersMax = 500;

/**
 * Reports errors to Sentry, and nothing else about the people affected: an event is built here from the error's name,
 * message and stack, and from the fields that are named below. The library's own integrations are not used, because they
 * would add requests with their headers, bodies, breadcrumbs and local variables.
 */
export function createSentry({ dsn, environment, onTrouble }: SentryOptions): ErrorReports {
  const mayReport = atMostPerSecond(reportsPerSecondMax);
  const client = new ServerRuntimeClient({
    dsn,
    environment,
    platform: 'node',
    integrations: [],
    stackParser,
    runtime: { name: 'node', version: process.version },
    transport: createSend(seldom(onTrouble)),
    transportOptions: { bufferSize: underWayMax },
    sendClientReports: false,
  });
  client.init();
  return {
    report(report) {
      if (mayReport()) client.captureEvent(eventOf(report));
    },
    async close() {
      await client.close(closeTimeoutMs);
    },
  };
}

const stackParser = createStackParser(nodeStackLineParser());

// The library's own transport for Node is in a package that pulls in OpenTelemetry.
function createSend(tell: (error: unknown) => void) {
  return (options: BaseTransportOptions) =>
    createTransport(options, async ({ body }) => {
      try {
        const { url, headers = {} } = options;
        const signal = AbortSignal.timeout(sendTimeoutMs);
        const answer = await fetch(url, { method: 'POST', body, headers, redirect: 'error', signal });
        await answer.body?.cancel();
        if (!answer.ok) tell(new Error(`Sentry answered ${answer.status}`));
        return { statusCode: answer.status, headers: limitsOf(answer) };
      } catch (error) {
        tell(error);
        throw error;
      }
    });
}

/** The headers by which Sentry asks for a pause, which the library respects. */
function limitsOf({ headers }: Response) {
  return {
    'x-sentry-rate-limits': headers.get('x-sentry-rate-limits'),
    'retry-after': headers.get('retry-after'),
  };
}

function eventOf({ level, message, fields }: ErrorReport) {
  const { trace_id, span_id, err } = fields;
  return {
    level,
    message: scrub(message),
    tags: tagsOf(fields),
    ...(err instanceof Error && { exception: { values: exceptionsOf(err) } }),
    ...(typeof trace_id === 'string' &&
      typeof span_id === 'string' && { contexts: { trace: { trace_id, span_id } } }),
  };
}

// None of them identifies a person.
const tags = ['requestId', 'route', 'orderId', 'code'];

function tagsOf(fields: ErrorReport['fields']): Record<string, string> {
  const known = tags.flatMap(name => {
    const value = fields[name];
    return typeof value === 'string' ? [[name, scrub(value)]] : [];
  });
  return Object.fromEntries(known);
}

/** The error and its causes, root cause first, as Sentry expects. */
function exceptionsOf(error: Error): Exception[] {
  const chain: Exception[] = [];
  for (let next: unknown = error; next instanceof Error && chain.length < causesMax; next = next.cause) {
    chain.unshift({
      type: next.name,
      value: wordsOf(next),
      stacktrace: { frames: stackParser(next.stack ?? '') },
    });
  }
  return chain;
}

/**
 * Quoted text is mostly what a client has sent: `invalid input syntax for type uuid: "ann"`, or part of a body that is not
 * JSON. If PostgreSQL complains about something other than data (class 22), the quotes contain the engine's own names.
 */
function wordsOf(error: Error): string {
  const isAboutThings = sqlStateOf(error)?.startsWith('22') === false;
  return scrub(isAboutThings ? error.message : error.message.replaceAll(/"[^"]*"?/g, '"(hidden)"'));
}

function scrub(text: string): string {
  return text
    .replaceAll(/\/\/[^\s/@]+@/g, '//(hidden)@')
    .replaceAll(/\b(Bearer|Basic)\s+\S+/gi, '$1 (hidden)')
    .replaceAll(/(https?:\/\/[^\s?]+)\?\S*/g, '$1?(hidden)')
    .slice(0, charactersMax);
}
