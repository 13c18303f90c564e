import type { Ended } from '../hooks.js';

/** A step of a trace: it begins when it is created, and is reported after it has ended. Nothing here throws. */
export type Span = {
  /** Identifies the span to the next process, in the format of W3C's header of that name. */
  traceparent: string;
  traceId: string;
  spanId: string;
  /** Whether it will be reported. An unreported span is still passed on, and costs almost nothing. */
  isRecorded: boolean;
  set(attributes: Attributes): void;
  /** Links to a span that is neither its parent nor its child. */
  link(other: Span): void;
  fail(error: unknown): void;
  end(): void;
};

export type SpanKind = 'server' | 'client' | 'producer' | 'consumer';
type Attributes = Record<string, string | number | boolean | undefined>;

type SpanOptions = {
  kind: SpanKind;
  /** The `traceparent` of its parent, from any source; any other value starts a new trace. */
  parent?: unknown;
  attributes?: Attributes;
};

/**
 * Starts spans. A process without tracing has no such object: code that takes a span also takes `undefined` and then does
 * nothing.
 */
export type Tracing = {
  start(name: string, options: SpanOptions): Span;
  /** Starts a span for work that many spans share: its own trace, linked to all of theirs, and always recorded. */
  startForAll(name: string, spans: readonly Span[], options: Omit<SpanOptions, 'parent'>): Span;
  /** Sends ended spans, for at most two seconds. */
  close(): Promise<void>;
};

export type Traceparent = { traceId: string; spanId: string; flags: number };

// Version 00 of https://www.w3.org/TR/trace-context: 55 characters, no id all zeros. The engine forwards a client's value
// to the queue and to the payment provider, so it accepts no other shape.
const shape = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** @returns undefined for text that is not a traceparent. */
export function readTraceparent(header: unknown): Traceparent | undefined {
  const [, traceId, spanId, flags] = (typeof header === 'string' && shape.exec(header)) || [];
  if (!traceId || !spanId || !flags) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

export function writeTraceparent({ traceId, spanId, flags }: Traceparent): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
}

/** Ends spans with the result of their work. */
export function endSpans(spans: readonly (Span | undefined)[], ended: Ended<unknown>): void {
  for (const span of spans) {
    if ('error' in ended) span?.fail(ended.error);
    span?.end();
  }
}

/** The fields of a log line that identify its trace. */
export function traceOf(span: Span | undefined): { trace_id: string; span_id: string } | undefined {
  return span && { trace_id: span.traceId, span_id: span.spanId };
}
