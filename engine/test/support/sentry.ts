import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { listenUntilTestEnds } from './listen.js';

const exceptionSchema = z.looseObject({
  type: z.string(),
  value: z.string(),
  stacktrace: z.looseObject({ frames: z.array(z.looseObject({ filename: z.string().optional() })) }),
});
const eventSchema = z.looseObject({
  level: z.string(),
  message: z.string(),
  environment: z.string(),
  tags: z.record(z.string(), z.string()).default({}),
  contexts: z.looseObject({ trace: z.looseObject({ trace_id: z.string() }).optional() }).default({}),
  exception: z.object({ values: z.array(exceptionSchema) }).optional(),
});

export type SentryReceiver = {
  dsn: string;
  events: z.infer<typeof eventSchema>[];
  /** All bytes received, unchanged. */
  raw: () => string;
  /** Keeps what arrives and never answers. */
  hang(): void;
};

/** Accepts Sentry's envelopes until the test ends: a line of headers, then two lines for each item. */
export async function startSentryReceiver(): Promise<SentryReceiver> {
  const events: SentryReceiver['events'] = [];
  let raw = '';
  let isHanging = false;
  const server = createServer(async (request, reply) => {
    const envelope = await text(request);
    raw += `${request.url}\n${JSON.stringify(request.headers)}\n${envelope}\n`;
    const [, ...items] = envelope.trim().split('\n');
    for (let i = 0; i < items.length; i += 2) {
      const { type } = z.looseObject({ type: z.string() }).parse(JSON.parse(items[i] ?? ''));
      if (type === 'event') events.push(eventSchema.parse(JSON.parse(items[i + 1] ?? '')));
    }
    if (!isHanging) reply.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const port = await listenUntilTestEnds(server);
  return {
    dsn: `http://public@127.0.0.1:${port}/1`,
    events,
    raw: () => raw,
    hang() {
      isHanging = true;
    },
  };
}
