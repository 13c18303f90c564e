import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  type AttemptCursor,
  type AttemptFilter,
  countAttempts,
  listAttempts,
} from '../../../ledger/list-attempts.js';
import type { DatabaseClock } from '../../../platform/database-clock.js';
import type { Pool } from '../../../platform/postgres.js';
import { adminAttemptView, attemptOutcomes, attemptView } from '../../answers/attempt-views.js';
import { csvOf, wantsCsv } from '../../answers/csv.js';
import { nextPageUrl } from '../../answers/next-page.js';
import { slugs } from '../../answers/problem-slugs.js';
import {
  formatSchema,
  headerUserIdSchema,
  idParamSchema,
  idSchema,
  shopperIdSchema,
  timeSchema,
} from '../../answers/schemas.js';
import { type Identity, shopperOf } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type AttemptsParts = { identity: Identity; pool: Pool; clock: DatabaseClock };

// A shopper asks about today's sale. Each day is a partition to plan for, and all who got nothing ask at the same time.
const shopperWindowMs = 7 * 86_400_000;
// Without a sale or a shopper each sale is looked at, so that a longer time has to be asked for.
const unfilteredWindowMs = 3_600_000;

const limitSchema = z
  .string()
  .regex(/^([1-9]\d{0,2}|1000)$/, 'expected a whole number from 1 to 1000')
  .transform(Number)
  .default(100);

// The ledger's cursor: a time, and a place in a table (block and line). 2^53 microseconds end in the year 2255.
const cursorSchema = z
  .string()
  .regex(/^\d{1,16}-\d{1,9}-\d{1,4}$/, 'expected `next` of the page before')
  .transform((text): AttemptCursor => {
    const [answeredAtUs, block, line] = text.split('-');
    return { answeredAtUs: Number(answeredAtUs), place: `(${block},${line})` };
  });

function cursorText({ answeredAtUs, place }: AttemptCursor): string {
  return `${answeredAtUs}-${place.replace(/[()]/g, '').replace(',', '-')}`;
}

const listQuerySchema = z.strictObject({
  saleId: idParamSchema.optional(),
  productId: idParamSchema.optional(),
  shopperId: shopperIdSchema.optional(),
  orderId: z.uuid().optional(),
  outcome: z.enum(attemptOutcomes).optional(),
  from: timeSchema.optional().meta({ description: 'Answered then or later' }),
  to: timeSchema.optional().meta({ description: 'Answered before' }),
  after: cursorSchema.optional().meta({ description: '`next` of the page before' }),
  limit: limitSchema,
  format: formatSchema,
});

const attemptSchema = z.object({
  at: z.iso.datetime(),
  productId: idSchema,
  saleId: idSchema.nullable(),
  quantity: z.int(),
  outcome: z.string(),
  message: z.string().meta({ description: 'Why' }),
  orderId: z.uuid().nullable(),
  durationMs: z.number(),
});

const adminAttemptSchema = attemptSchema.extend({ shopperId: z.string() });

const csvColumns = [
  'at',
  'shopperId',
  'productId',
  'saleId',
  'quantity',
  'outcome',
  'message',
  'orderId',
  'durationMs',
] as const;

/** "Why not me?": a shopper's own attempts. */
export function registerOwnAttempts(app: App, { identity, pool, clock }: AttemptsParts): void {
  const mine = {
    summary: 'My attempts to buy of the last seven days, newest first',
    problems: slugs('not-authenticated'),
    tags: ['shop'],
    headers: z.object({ 'x-user-id': headerUserIdSchema.optional() }),
    querystring: z.strictObject({ productId: idParamSchema.optional(), limit: limitSchema }),
    response: { 200: z.object({ attempts: z.array(attemptSchema) }) },
  };
  app.get('/api/attempts', { schema: mine }, async request => {
    const shopperId = shopperOf(identity.callerOf(request), request);
    const { productId, limit } = request.query;
    const from = new Date(clock.nowMs() - shopperWindowMs);
    const { attempts } = await listAttempts(pool, { shopperId, productId, from }, { limit, isAnswer: true });
    return { attempts: attempts.map(attemptView) };
  });
}

/** Everybody's attempts, for operators. */
export function registerAdminAttempts(app: App, { identity, pool, clock }: AttemptsParts): void {
  const onRequest = async (request: FastifyRequest) => identity.requireOperator(request);
  const page = z.object({ attempts: z.array(adminAttemptSchema), next: z.string().nullable() });
  const list = {
    summary: 'Attempts, newest first, as JSON or CSV',
    tags: ['operator'],
    querystring: listQuerySchema,
    response: {
      200: {
        description: 'CSV where it is asked for; the next page is then in the Link header',
        content: { 'application/json': { schema: page }, 'text/csv': { schema: z.string() } },
      },
    },
  };
  app.get('/api/admin/attempts', { schema: list, onRequest }, async (request, reply) => {
    const { after, limit, format, ...filter } = request.query;
    const { attempts, next } = await listAttempts(pool, withWindow(filter, clock), { after, limit });
    const views = attempts.map(adminAttemptView);
    const cursor = next && cursorText(next);
    if (!wantsCsv(format, request)) return { attempts: views, next: cursor };
    if (cursor) reply.header('link', `<${nextPageUrl(request.url, cursor)}>; rel="next"`);
    return reply.type('text/csv; charset=utf-8').send(csvOf(csvColumns, views));
  });

  const summary = {
    summary: 'Attempts at a sale, counted by outcome',
    tags: ['operator'],
    querystring: z.strictObject({ saleId: idParamSchema }),
    response: {
      200: z.object({
        saleId: idSchema,
        attempts: z.int(),
        outcomes: z.array(z.object({ outcome: z.string(), attempts: z.int() })),
      }),
    },
  };
  app.get('/api/admin/attempts/summary', { schema: summary, onRequest }, async request => {
    const { saleId } = request.query;
    const outcomes = await countAttempts(pool, saleId);
    return { saleId, attempts: outcomes.reduce((sum, { attempts }) => sum + attempts, 0), outcomes };
  });
}

function withWindow(filter: AttemptFilter, clock: DatabaseClock): AttemptFilter {
  const { saleId, shopperId, from, to } = filter;
  if (from || saleId !== undefined || shopperId !== undefined) return filter;
  return { ...filter, from: new Date((to?.getTime() ?? clock.nowMs()) - unfilteredWindowMs) };
}
