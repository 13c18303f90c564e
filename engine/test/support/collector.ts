import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { listenUntilTestEnds } from './listen.js';

const linkSchema = z.object({ traceId: z.string(), spanId: z.string() });
const spanSchema = z.object({
  name: z.string(),
  kind: z.int(),
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  attributes: z
    .array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) }))
    .transform(list => Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]))),
  links: z.array(linkSchema).default([]),
  status: z.object({ code: z.int().default(0), message: z.string().optional() }),
});
const bodySchema = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })) })),
});

export type CollectedSpan = z.infer<typeof spanSchema>;

export type Collector = {
  /** The value for OTEL_EXPORTER_OTLP_ENDPOINT. */
  url: string;
  spans: CollectedSpan[];
  /** The only span with that name. */
  one(name: string): CollectedSpan;
  all(name: string): CollectedSpan[];
  /** Keeps what arrives and never answers. */
  hang(): void;
};

/** Accepts traces as OTLP in JSON, as a collector does, until the test ends. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  let isHanging = false;
  const server = createServer(async (request, reply) => {
    if (request.method !== 'POST' || request.url !== '/v1/traces') return reply.writeHead(404).end();
    const { resourceSpans } = bodySchema.parse(await json(request));
    spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(scope => scope.spans)));
    if (!isHanging) reply.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const port = await listenUntilTestEnds(server);
  const all = (name: string) => spans.filter(span => span.name === name);
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    all,
    one(name) {
      const [first, ...others] = all(name);
      if (first && others.length === 0) return first;
      throw new Error(`${others.length} extra spans of ${name}, or none: ${spans.map(span => span.name)}`);
    },
    hang() {
      isHanging = true;
    },
  };
}
