import { z } from 'zod';
import { slugs } from '../../answers/problem-slugs.js';
import { sendProblem } from '../../answers/send-problem.js';
import type { Identity } from '../../identity/identity.js';
import { addressKeyOf } from '../../limits/client-address.js';
import type { App } from '../../server/http-server.js';
import type { EventStreams } from '../../streams/event-stream.js';
import type { LiveBroadcast } from '../../streams/live-broadcast.js';

const rate = z.number().meta({ description: 'A second, over the last second' });
const millis = z
  .number()
  .nullable()
  .meta({ description: 'null where there was none in the last five seconds' });
const percentiles = z.object({ p50Ms: millis, p95Ms: millis, p99Ms: millis });

const frameSchema = z
  .object({
    at: z.iso.datetime(),
    process: z.int().meta({ description: 'Whose figures these are, where nothing else is said' }),
    requests: percentiles.extend({
      perSecond: rate,
      ok: rate,
      refused: rate.meta({ description: '4xx' }),
      failed: rate.meta({ description: '5xx' }),
      inFlight: z.int(),
    }),
    orders: percentiles.extend({
      perSecond: rate.meta({ description: 'Made, by whatever way to buy; the percentiles are of decisions' }),
      batchSize: z.number().nullable(),
      waiting: z.int(),
      oldestWaitMs: z.number(),
    }),
    outcomes: z
      .array(z.object({ outcome: z.string(), perSecond: rate, total: z.int() }))
      .meta({ description: 'Orders made, and attempts that made none, since the process began' }),
    gate: z.array(z.object({ result: z.string(), perSecond: rate })),
    protection: z.object({
      level: z.enum(['none', 'browsing', 'buying', 'finishing']),
      lagMs: z.number(),
      refusedPerSecond: rate,
    }),
    breakers: z.object({
      payments: z.enum(['closed', 'half-open', 'open']),
      redis: z.enum(['up', 'down', 'none']),
      postgres: z.enum(['up', 'down']),
    }),
    queue: z
      .object({ ready: z.int(), inFlight: z.int(), delayed: z.int(), oldestAgeMs: z.number().nullable() })
      .nullable()
      .meta({ description: 'Of all processes; null where it can not be read now' }),
    lateOrders: z
      .int()
      .nullable()
      .meta({ description: 'That have waited for more than a minute to be decided, at most 10,000' }),
    deadLetters: z.int().nullable().meta({ description: 'That nobody has resolved' }),
    stock: z
      .object({
        saleCount: z.int(),
        sales: z.array(
          z.object({
            saleId: z.int(),
            productId: z.int(),
            productName: z.string(),
            status: z.enum(['active', 'paused']),
            allocation: z.int(),
            available: z.int(),
            reserved: z.int(),
            sold: z.int(),
          }),
        ),
      })
      .nullable()
      .meta({ description: 'Sales under way, of all processes; those that began last, twelve at most' }),
  })
  .meta({ description: 'What each event named "live" has as its data' });

export type LiveFrame = z.output<typeof frameSchema>;

export type LiveParts = {
  identity: Identity;
  live: LiveBroadcast<LiveFrame>;
  /** Counted by address. */
  liveStreams: EventStreams;
};

const schema = {
  summary: 'Watch the engine: server-sent events named "live", one a second',
  problems: slugs('too-many-streams', 'overloaded'),
  tags: ['operator'],
  response: { 200: { content: { 'text/event-stream': { schema: frameSchema } } } },
};

// A sign-in that has ended, or was revoked, is noticed when the browser connects again.
const streamEndsAfterMs = 5 * 60_000;

/** GET /api/admin/live: what the console's live page shows. */
export function registerLive(app: App, { identity, live, liveStreams }: LiveParts): void {
  const onRequest = identity.requireOperator;

  // No HEAD: it would hold a stream that nothing can be sent on.
  app.get('/api/admin/live', { schema, exposeHeadRoute: false, onRequest }, async (request, reply) => {
    const stream = liveStreams.open(reply, addressKeyOf(request));
    if (typeof stream === 'string') return sendProblem(reply, stream);
    const end = setTimeout(stream.end, streamEndsAfterMs).unref();
    stream.onClose(() => clearTimeout(end));
    stream.onClose(
      live.follow(frame => stream.send({ id: frame.at, event: 'live', data: JSON.stringify(frame) })),
    );
    return reply;
  });
}
