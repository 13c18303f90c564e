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
  /** Takes OTLP as JSON, such as http://127.0.0.1:4318/v1/traces */
  url: string;
  roles: readonly string[];
  sampler: SamplerName;
  /** Of `traceidratio`: the part of the traces that is kept, 0 to 1. */
  ratio: number;
  /** Spans that one is linked to. */
  linksMax: number;
  onTrouble: (error: unknown) => void;
};

type RootSampler = 'always_on' | 'always_off' | 'traceidratio';
/** As OTEL_TRACES_SAMPLER names them. */
type SamplerName = RootSampler | `parentbased_${RootSampler}`;

// A collector that has not answered by then is down, and a stop has other things to wait for.
const closeTimeoutMs = 2000;

/**
 * Spans that we start ourselves, sent as OTLP over HTTP. Nothing is registered globally and nothing is patched: no other
 * library notices. What the environment says of resources, headers, time limits and buffers (OTEL_*) the SDK reads itself.
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
    // 2,048 ended spans wait while 512 are sent; what comes on top is dropped.
    spanProcessors: [new BatchSpanProcessor(exporter)],
    spanLimits: { linkCountLimit: options.linksMax },
  };
  const provider = new BasicTracerProvider({ ...shared, sampler: samplerOf(options) });
  const tracer = provider.getTracer('doorbuster');
  // Whether a batch is kept has been decided with its requests. By lot, one in a hundred requests would find its batch.
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
      // What can not be delivered, the exporter has told of.
      const closed = provider.shutdown().catch(() => {});
      if (await endsWithin(closed, closeTimeoutMs)) return;
      tell(new Error(`the collector has not taken the last of them within ${closeTimeoutMs} ms`));
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
    ...{ traceId, spanId, isRecorded: span.isRecording() },
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

// What went wrong is told by the log; a span says that something did.
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

/** As the exporter, but its failures are told. */
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
