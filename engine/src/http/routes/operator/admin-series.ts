import { z } from 'zod';
import type { Calendar } from '../../../catalog/calendar.js';
import { endSeries, listSeries } from '../../../catalog/series.js';
import type { Pool } from '../../../platform/postgres.js';
import { slugs } from '../../answers/problem-slugs.js';
import { idParamSchema, idSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { seriesView } from '../../answers/views.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';
import { recurrenceSchema } from '../shop/catalog.js';

export type SeriesParts = {
  pool: Pool;
  calendar: Calendar;
  identity: Identity;
};

const seriesSchema = z.object({
  id: idSchema,
  productId: idSchema,
  recurrence: recurrenceSchema,
  durationSeconds: z.int(),
  allocation: z.int(),
  perUserLimit: z.int(),
  perPaymentLimit: z.int().nullable(),
  perAddressLimit: z.int().nullable(),
  holdTtlSeconds: z.int(),
  payment: z.enum(['none', 'required']),
  prizeOdds: z.int().nullable(),
  status: z.enum(['active', 'ended']),
  createdAt: z.iso.datetime(),
  plannedUntil: z.iso.datetime().meta({ description: 'When the last planned sale of the series starts' }),
});

const seriesExample = {
  id: 1,
  productId: 3,
  recurrence: { cron: '0 * * * *', timeZone: 'Europe/Berlin' },
  durationSeconds: 3600,
  allocation: 10_000,
  perUserLimit: 10,
  perPaymentLimit: null,
  perAddressLimit: null,
  holdTtlSeconds: 900,
  payment: 'none',
  prizeOdds: 100,
  status: 'active',
  createdAt: '2026-11-20T12:00:00.000Z',
  plannedUntil: '2036-06-01T00:00:00.000Z',
} as const satisfies z.input<typeof seriesSchema>;

const listQuerySchema = z.strictObject({
  after: idParamSchema.optional().meta({ description: 'The id of the last series on the previous page' }),
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'expected a whole number from 1 to 100')
    .transform(Number)
    .optional(),
});

const tags = ['operator'];

/** Series of sales, as operators see them. POST /api/admin/sales creates them. */
export function registerSeries(app: App, { identity, pool, calendar }: SeriesParts): void {
  const onRequest = identity.requireOperator;
  const list = {
    operationId: 'listSeries',
    summary: 'List the series of sales, by id',
    callers: 'operators',
    tags,
    querystring: listQuerySchema,
    response: {
      200: withExample(z.object({ series: z.array(seriesSchema), next: idSchema.nullable() }), {
        series: [seriesExample],
        next: null,
      }),
    },
  } as const;
  app.get('/api/admin/series', { schema: list, onRequest }, async request => {
    const { after = 0, limit = 50 } = request.query;
    const page = await listSeries(pool, after, limit);
    return {
      series: page.map(seriesView),
      next: page.length === limit ? (page.at(-1)?.seriesId ?? null) : null,
    };
  });

  const end = {
    operationId: 'endSeries',
    summary: 'End a series',
    description: 'Sales that have not begun are ended, and no more are planned. A sale under way continues.',
    problems: slugs('series-not-found'),
    callers: 'operators',
    tags,
    params: z.object({ id: idParamSchema }),
    response: { 200: withExample(seriesSchema, { ...seriesExample, status: 'ended' }) },
  } as const;
  app.post('/api/admin/series/:id/end', { schema: end, onRequest }, async request => {
    const series = await endSeries(pool, request.params.id);
    if (!series) throw new ProblemError('series-not-found');
    await calendar.refresh(series.productId);
    return seriesView(series);
  });
}
