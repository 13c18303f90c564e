import { randomUUID } from 'node:crypto';
import {
  ROOT_CONTEXT,
  type Span as SdkSpan,
  SpanKind as SdkSpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { endsWithin } from '../backoff.js';
import { messageOf } from '../errors.js';
import { seldom } from './rarely.js';
import { readTraceparent, type Span, type SpanKind, type Tracing, writeTraceparent } from './tracing.js';

export type OpenTelemetryOptions = {
  /** An address that accepts OTLP as JSON, such as http://127.0.0.1:4318/v1/traces */
  url: string;
  roles: readonly string[];
  sampler: SamplerName;
  /** For `traceidratio`: the fraction of traces to keep, 0 to 1. */
  ratio: number;
  /** Maximum number of spans that one span links to. */
  linksMax: number;
  onTrouble: (error: unknown) => void;
};

type RootSampler = 'always_on' | 'always_off' | 'traceidratio';
/** As OTEL_TRACES_SAMPLER names them. */
type SamplerName = RootSampler | `parentbased_${RootSampler}`;

// A collector that has not answered by then is down, and shutting down must not wait longer for it.
const closeTimeoutMs = 2000;

/**
 * Spans that the engine starts itself, sent as OTLP over HTTP. Nothing is registered globally and nothing is patched, so
 * no other library is affected. The SDK itself reads resources, headers, timeouts and buffers from the environment (OTEL_*).
 */
export function createOpenTelemetry(options: OpenTelemetryOptions): Tracing {
  const tell = seldom(options.onTrouble);
  const exporter = telling(new OTLPTraceExporter({ url: options.url }), tell);
  const shared = {
    resource: resourceFromAttributes({
      'service.name': 'doorbuster',
      'service.instance.id': randomUUID(),
      'process.pid': process.pid,
      'doorbuster.roles': [...options.roles],
    }).merge(detectResources({ detectors: [envDetector] })),
    // Up to 2,048 ended spans wait while 512 are sent; further ones are dropped.
    spanProcessors: [new BatchSpanProcessor(exporter)],
    spanLimits: { linkCountLimit: options.linksMax },
  };
  const provider = new BasicTracerProvider({ ...shared, sampler: samplerOf(options) });
  const tracer = provider.getTracer('doorbuster');
  // A batch is kept if its requests are. If it were sampled by itself at 1 %, only one kept request in a hundred would find
  // its batch.
  const keeper = new BasicTracerProvider({ ...shared, sampler: new AlwaysOnSampler() }).getTracer(
    'doorbuster',
  );

  return {
    start: (name, { kind, parent, attributes = {} }) =>
      wrap(tracer.startSpan(name, { kind: kinds[kind], attributes }, contextOf(parent))),
    startForAll: (name, spans, { kind, attributes = {} }) => {
      const links = spans.map(span => ({ context: contextOfSpan(span) }));
      return wrap(keeper.startSpan(name, { kind: kinds[kind], attributes, links }, ROOT_CONTEXT));
    },
    async close() {
      // The exporter has already reported what cannot be delivered.
      const closed = provider.shutdown().catch(() => {});
      if (await endsWithin(closed, closeTimeoutMs)) return;
      tell(new Error(`the collector did not accept the last spans within ${closeTimeoutMs} ms`));
    },
  };
}

const kinds: Record<SpanKind, SdkSpanKind> = {
  server: SdkSpanKind.SERVER,
  client: SdkSpanKind.CLIENT,
  producer: SdkSpanKind.PRODUCER,
  consumer: SdkSpanKind.CONSUMER,
};

function contextOf(parent: unknown) {
  const read = readTraceparent(parent);
  if (!read) return ROOT_CONTEXT;
  const { traceId, spanId, flags } = read;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flags, isRemote: true });
}

function contextOfSpan({ traceId, spanId, isRecorded }: Span) {
  return { traceId, spanId, traceFlags: isRecorded ? TraceFlags.SAMPLED : TraceFlags.NONE };
}

function wrap(span: SdkSpan): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: writeTraceparent({ traceId, spanId, flags: traceFlags }),
    traceId,
    spanId,
    isRecorded: span.isRecording(),
    set: attributes => void span.setAttributes(attributes),
    link: other => void span.addLink({ context: contextOfSpan(other) }),
    fail(error) {
      span.setStatus({
        code: SpanStatusCode.ERROR,
        message: messageOf(error).slice(0, messageCharactersMax),
      });
    },
    end: () => span.end(),
  };
}

// The log has the details of an error; a span only shows that one happened.
const messageCharactersMax = 200;

function samplerOf({ sampler, ratio }: OpenTelemetryOptions): Sampler {
  const on = new AlwaysOnSampler();
  const off = new AlwaysOffSampler();
  const share = new TraceIdRatioBasedSampler(ratio);
  const byName: Record<SamplerName, Sampler> = {
    always_on: on,
    always_off: off,
    traceidratio: share,
    parentbased_always_on: new ParentBasedSampler({ root: on }),
    parentbased_always_off: new ParentBasedSampler({ root: off }),
    parentbased_traceidratio: new ParentBasedSampler({ root: share }),
  };
  return byName[sampler];
}

/** The exporter, but its failures are reported. */
function telling(exporter: SpanExporter, tell: (error: unknown) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, result => {
        if (result.error) tell(result.error);
        done(result);
      }),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}
