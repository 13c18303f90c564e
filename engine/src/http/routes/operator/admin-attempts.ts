import { z } from 'zod';
import {
  type AttemptCursor,
  type AttemptFilter,
  countAttempts,
  listAttempts,
} from '../../../ledger/list-attempts.js';
import type { DatabaseClock } from '../../../platform/database-clock.js';
import type { Pool } from '../../../platform/postgres.js';
import { csvOf, wantsCsv } from '../../answers/csv.js';
import { nextPageUrl } from '../../answers/next-page.js';
import { formatSchema, idParamSchema, idSchema, shopperIdSchema, timeSchema } from '../../answers/schemas.js';
import {
  adminAttemptView,
  attemptExample,
  attemptLimitSchema,
  attemptOutcomes,
  attemptSchema,
} from '../../buying/attempt-views.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type AdminAttemptsParts = { identity: Identity; pool: Pool; clock: DatabaseClock };

// Without a sale or a shopper the query visits every sale, so a longer period has to be requested.
const unfilteredWindowMs = 3_600_000;

// The ledger's cursor: a time, and a place in a table (block and line). 2^53 microseconds last until the year 2255.
const cursorSchema = z
  .string()
  .regex(/^\d{1,16}-\d{1,9}-\d{1,4}$/, 'expected `next` of the previous page')
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
  from: timeSchema.optional().meta({ description: 'Answered at this time or later' }),
  to: timeSchema.optional().meta({ description: 'Answered before this time' }),
  after: cursorSchema.optional().meta({ description: '`next` of the previous page' }),
  limit: attemptLimitSchema,
  format: formatSchema,
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

const csvExample = csvOf(csvColumns, [{ ...attemptExample, shopperId: 'alice' }]);

const page = withExample(z.object({ attempts: z.array(adminAttemptSchema), next: z.string().nullable() }), {
  attempts: [{ ...attemptExample, shopperId: 'alice' }],
  next: null,
});

const list = {
  operationId: 'findAttempts',
  summary: 'Find attempts to buy, newest first, as JSON or CSV',
  callers: 'operators',
  tags: ['operator'],
  querystring: listQuerySchema,
  response: {
    200: {
      description: 'CSV if the caller asks for it, with the next page in the Link header',
      content: {
        'application/json': { schema: page },
        'text/csv': { schema: withExample(z.string(), csvExample) },
      },
    },
  },
} as const;

const summary = {
  operationId: 'countAttempts',
  summary: 'Count the attempts at a sale by outcome',
  callers: 'operators',
  tags: ['operator'],
  querystring: z.strictObject({ saleId: idParamSchema }),
  response: {
    200: withExample(
      z.object({
        saleId: idSchema,
        attempts: z.int(),
        outcomes: z.array(z.object({ outcome: z.string(), attempts: z.int() })),
      }),
      { saleId: 1, attempts: 1, outcomes: [{ outcome: 'confirmed', attempts: 1 }] },
    ),
  },
} as const;

/** The attempts of all shoppers. */
export function registerAdminAttempts(app: App, { identity, pool, clock }: AdminAttemptsParts): void {
  const onRequest = identity.requireOperator;

  app.get('/api/admin/attempts', { schema: list, onRequest }, async (request, reply) => {
    const { after, limit, format, ...filter } = request.query;
    const { attempts, next } = await listAttempts(pool, withWindow(filter, clock), { after, limit });
    const views = attempts.map(adminAttemptView);
    const cursor = next && cursorText(next);
    if (!wantsCsv(format, request)) return { attempts: views, next: cursor };
    if (cursor) reply.header('link', `<${nextPageUrl(request.url, cursor)}>; rel="next"`);
    return reply.type('text/csv; charset=utf-8').send(csvOf(csvColumns, views));
  });

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
