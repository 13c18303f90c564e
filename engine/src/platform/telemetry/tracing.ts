import type { Ended } from '../hooks.js';

/** A step of a trace: it begins when it is started, and is told of once it has ended. Nothing here throws. */
export type Span = {
  /** Names it to whoever goes on from here, in the words of W3C's header of that name. */
  traceparent: string;
  traceId: string;
  spanId: string;
  /** Whether it will be told of. One that is not is named to others all the same, and costs next to nothing. */
  isRecorded: boolean;
  set(attributes: Attributes): void;
  /** Points to a span that is neither before it nor part of it. */
  link(other: Span): void;
  fail(error: unknown): void;
  end(): void;
};

export type SpanKind = 'server' | 'client' | 'producer' | 'consumer';
type Attributes = Record<string, string | number | boolean | undefined>;

type SpanOptions = {
  kind: SpanKind;
  /** The `traceparent` of what it is part of, whoever says so: anything else than one begins a trace of its own. */
  parent?: unknown;
  attributes?: Attributes;
};

/**
 * Where spans begin. A process that tells nobody of its traces has none of this: everything that takes one takes
 * `undefined`, and leaves out what it would do with it.
 */
export type Tracing = {
  start(name: string, options: SpanOptions): Span;
  /** One piece of work for many: a trace of its own, linked to all of theirs, and recorded since they are. */
  startForAll(name: string, spans: readonly Span[], options: Omit<SpanOptions, 'parent'>): Span;
  /** Tells of what has ended, for two seconds at most. */
  close(): Promise<void>;
};

export type Traceparent = { traceId: string; spanId: string; flags: number };

// Version 00 of https://www.w3.org/TR/trace-context: 55 characters, of which no id is all zeros. What a client sends is
// repeated to the queue and to the payment provider, so nothing of another shape is taken over.
const shape = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** @returns undefined for what is none. */
export function readTraceparent(header: unknown): Traceparent | undefined {
  const [, traceId, spanId, flags] = (typeof header === 'string' && shape.exec(header)) || [];
  if (!traceId || !spanId || !flags) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

export function writeTraceparent({ traceId, spanId, flags }: Traceparent): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
}

/** Ends spans as the work ended that they stand for. */
export function endSpans(spans: readonly (Span | undefined)[], ended: Ended<unknown>): void {
  for (const span of spans) {
    if ('error' in ended) span?.fail(ended.error);
    span?.end();
  }
}

/** What a line of the log says so that its trace can be found. */
export function traceOf(span: Span | undefined): { trace_id: string; span_id: string } | undefined {
  return span && { trace_id: span.traceId, span_id: span.spanId };
}
