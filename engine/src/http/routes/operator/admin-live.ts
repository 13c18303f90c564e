import { z } from 'zod';
import { slugs } from '../../answers/problem-slugs.js';
import { sendProblem } from '../../answers/send-problem.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import { addressKeyOf } from '../../limits/client-address.js';
import type { App } from '../../server/http-server.js';
import type { EventStreams } from '../../streams/event-stream.js';
import type { LiveBroadcast } from '../../streams/live-broadcast.js';

const rate = z.number().meta({ description: 'Per second, over the last second' });
const millis = z.number().nullable().meta({ description: 'null if there was none in the last five seconds' });
const percentiles = z.object({ p50Ms: millis, p95Ms: millis, p99Ms: millis });

const frameSchema = z
  .object({
    at: z.iso.datetime(),
    process: z
      .int()
      .meta({ description: 'The id of the process that these figures describe, unless stated otherwise' }),
    requests: percentiles.extend({
      perSecond: rate,
      ok: rate,
      refused: rate.meta({ description: '4xx' }),
      failed: rate.meta({ description: '5xx' }),
      inFlight: z.int(),
    }),
    orders: percentiles.extend({
      perSecond: rate.meta({
        description: 'Orders made in any of the three ways to buy. The percentiles cover decisions.',
      }),
      batchSize: z.number().nullable(),
      waiting: z.int(),
      oldestWaitMs: z.number(),
    }),
    outcomes: z
      .array(z.object({ outcome: z.string(), perSecond: rate, total: z.int() }))
      .meta({ description: 'Orders, and attempts that led to none, since the process started' }),
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
      .meta({ description: 'Across all processes; null if it cannot be read right now' }),
    lateOrders: z
      .int()
      .nullable()
      .meta({ description: 'Queued orders that have waited for more than a minute, counted up to 10,000' }),
    deadLetters: z.int().nullable().meta({ description: 'Dead letters that are not resolved' }),
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
      .meta({ description: 'The twelve sales under way that began last, as all processes see them' }),
  })
  .meta({ description: 'The data of each event named `live`' });

export type LiveFrame = z.output<typeof frameSchema>;

const percentilesExample = { p50Ms: 1.8, p95Ms: 4.2, p99Ms: 9.7 };

const frameExample: LiveFrame = {
  at: '2026-11-20T12:00:00.000Z',
  process: 4711,
  requests: { ...percentilesExample, perSecond: 1840, ok: 1790, refused: 50, failed: 0, inFlight: 12 },
  orders: { ...percentilesExample, perSecond: 1210, batchSize: 38.5, waiting: 9, oldestWaitMs: 3 },
  outcomes: [{ outcome: 'confirmed', perSecond: 1210, total: 84_213 }],
  gate: [{ result: 'sold-out', perSecond: 50 }],
  protection: { level: 'none', lagMs: 1, refusedPerSecond: 0 },
  breakers: { payments: 'closed', redis: 'none', postgres: 'up' },
  queue: { ready: 0, inFlight: 0, delayed: 0, oldestAgeMs: null },
  lateOrders: 0,
  deadLetters: 0,
  stock: {
    saleCount: 1,
    sales: [
      {
        saleId: 1,
        productId: 1,
        productName: 'Meridian trainers',
        status: 'active',
        allocation: 10_000,
        available: 9998,
        reserved: 0,
        sold: 2,
      },
    ],
  },
};

export type LiveParts = {
  identity: Identity;
  live: LiveBroadcast<LiveFrame>;
  /** Counted by address. */
  liveStreams: EventStreams;
};

const schema = {
  operationId: 'followLive',
  summary: 'Follow the state of the engine as server-sent events',
  description:
    'Events are named `live` and come once a second. The stream ends after five minutes, so that an ended session is noticed.',
  problems: slugs('too-many-streams', 'overloaded'),
  callers: 'operators',
  tags: ['operator'],
  response: {
    200: {
      description: 'The stream',
      content: { 'text/event-stream': { schema: withExample(frameSchema, frameExample) } },
    },
  },
} as const;

// A session that has ended or was revoked is noticed when the browser reconnects.
const streamEndsAfterMs = 5 * 60_000;

/** GET /api/admin/live: the data of the console's live page. */
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
