import { z } from 'zod';
import { type Revenue, readRevenue } from '../../../ledger/revenue.js';
import { createSumSold } from '../../../ledger/sum-sold.js';
import type { DatabaseClock } from '../../../platform/database-clock.js';
import { runOnce } from '../../../platform/jobs/run-jobs.js';
import type { Pool } from '../../../platform/postgres.js';
import { currencySchema, idSchema, timeSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { decimalOf } from '../../answers/views.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type StatsParts = {
  pool: Pool;
  clock: DatabaseClock;
  identity: Identity;
};

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const daysUnlessSaid = 30;
// A hundred sales that never end make 900,000 sums a year.
const daysMax = 366;

const soldSchema = z.object({
  currency: currencySchema,
  orders: z.int(),
  units: z.int(),
  revenueMinor: z.int(),
});

const queryTimeSchema = z.number().meta({ description: 'How long the query took, in milliseconds' });

const summarySchema = z
  .object({
    currency: currencySchema.nullable().meta({ description: 'null if nothing was sold' }),
    totalRevenue: z.number(),
    totalUnitsSold: z.int(),
    topProducts: z.array(z.object({ id: idSchema, name: z.string(), totalSold: z.int() })),
    revenueByDay: z.array(z.object({ date: z.iso.date(), revenue: z.number() })),
  })
  .meta({
    description:
      'The same figures in decimals, for the currency with the most orders. `totals` has every currency.',
  });

const soldExample = { currency: 'EUR', orders: 1, units: 2, revenueMinor: 25_800 };

const stats = {
  operationId: 'getStats',
  summary: 'Get revenue and units: in total, by day (UTC) and by product',
  description:
    'Counts orders that are confirmed and not refunded. Times are rounded outwards to whole hours, and a period covers at most 366 days. `products` are the 20 with the highest revenue.',
  callers: 'operators',
  tags: ['operator'],
  querystring: z.strictObject({
    from: timeSchema
      .optional()
      .meta({ description: 'Orders made in this hour or later; 30 days before `to` by default' }),
    to: timeSchema.optional().meta({ description: 'Orders made before this time; now by default' }),
  }),
  response: {
    200: withExample(
      z.object({
        from: z.iso.datetime(),
        to: z.iso.datetime(),
        totals: z.array(soldSchema),
        days: z.array(soldSchema.extend({ day: z.iso.date() })),
        products: z.array(soldSchema.extend({ productId: idSchema, name: z.string() })),
        tookMs: queryTimeSchema,
        success: z.literal(true),
        data: summarySchema,
        meta: z.object({ queryTimeMs: queryTimeSchema }),
      }),
      {
        from: '2026-10-21T12:00:00.000Z',
        to: '2026-11-20T13:00:00.000Z',
        totals: [soldExample],
        days: [{ ...soldExample, day: '2026-11-20' }],
        products: [{ ...soldExample, productId: 1, name: 'Meridian trainers' }],
        tookMs: 3.1,
        success: true,
        data: {
          currency: 'EUR',
          totalRevenue: 258,
          totalUnitsSold: 2,
          topProducts: [{ id: 1, name: 'Meridian trainers', totalSold: 2 }],
          revenueByDay: [{ date: '2026-11-20', revenue: 258 }],
        },
        meta: { queryTimeMs: 3.1 },
      },
    ),
  },
} as const;

/** Revenue by the hour in which an order was made. */
export function registerStats(app: App, { identity, pool, clock }: StatsParts): void {
  const onRequest = identity.requireOperator;
  const sumSold = createSumSold(pool);
  app.get('/api/admin/stats', { schema: stats, onRequest }, async request => {
    const { to = new Date(clock.nowMs()), from = new Date(to.getTime() - daysUnlessSaid * dayMs) } =
      request.query;
    if (from >= to) throw new ProblemError('invalid', 'to: expected a time after from');
    if (to.getTime() - from.getTime() > daysMax * dayMs) {
      throw new ProblemError('invalid', `from: expected at most ${daysMax} days before to`);
    }
    const startedAtMs = performance.now();
    // The scheduler does this too; here it covers what was bought since. The scheduler reports any sale that fails.
    await runOnce(sumSold);
    const hours = { from: hourOf(from), to: hourOf(new Date(to.getTime() + hourMs - 1)) };
    const revenue = await readRevenue(pool, hours.from, hours.to);
    const tookMs = Math.round((performance.now() - startedAtMs) * 10) / 10;
    const { mostSold: _, ...sums } = revenue;
    return {
      from: hours.from.toISOString(),
      to: hours.to.toISOString(),
      ...sums,
      tookMs,
      success: true as const,
      data: summaryOf(revenue),
      meta: { queryTimeMs: tookMs },
    };
  });
}

function hourOf(time: Date): Date {
  return new Date(Math.floor(time.getTime() / hourMs) * hourMs);
}

// Amounts in different currencies cannot be summed.
function summaryOf({ totals, days, mostSold }: Revenue): z.infer<typeof summarySchema> {
  const [main] = [...totals].sort((a, b) => b.orders - a.orders);
  if (!main) return { currency: null, totalRevenue: 0, totalUnitsSold: 0, topProducts: [], revenueByDay: [] };
  const { currency } = main;
  const isMain = (sold: { currency: string }) => sold.currency === currency;
  return {
    currency,
    totalRevenue: decimalOf(main.revenueMinor, currency),
    totalUnitsSold: main.units,
    topProducts: mostSold
      .filter(isMain)
      .map(({ productId, name, units }) => ({ id: productId, name, totalSold: units })),
    revenueByDay: days
      .filter(isMain)
      .map(({ day, revenueMinor }) => ({ date: day, revenue: decimalOf(revenueMinor, currency) })),
  };
}
