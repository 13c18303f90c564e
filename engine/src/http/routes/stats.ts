import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { readRevenue } from '../../ledger/revenue.js';
import type { DatabaseClock } from '../../platform/database-clock.js';
import type { Pool } from '../../platform/postgres.js';
import { ProblemError } from '../problem.js';
import { currencySchema, idSchema, timeSchema } from '../schemas.js';
import type { App } from '../server.js';

export type StatsParts = {
  pool: Pool;
  clock: DatabaseClock;
  onRequest: (request: FastifyRequest) => Promise<void>;
};

const dayMs = 86_400_000;
const daysUnlessSaid = 30;
// A year of hourly sales of 10,000 units is more than one statement may take; see the statement's own timeout.
const daysMax = 366;

const soldSchema = z.object({
  currency: currencySchema,
  orders: z.int(),
  units: z.int(),
  revenueMinor: z.int(),
});

const stats = {
  summary: 'Revenue and units: in all, by day (UTC) and of the products that earned most',
  tags: ['operator'],
  querystring: z.strictObject({
    from: timeSchema
      .optional()
      .meta({ description: 'Bought then or later; 30 days before `to` unless said' }),
    to: timeSchema.optional().meta({ description: 'Bought before; now unless said' }),
  }),
  response: {
    200: z.object({
      from: z.iso.datetime(),
      to: z.iso.datetime(),
      totals: z.array(soldSchema),
      days: z.array(soldSchema.extend({ day: z.iso.date() })),
      products: z.array(soldSchema.extend({ productId: idSchema, name: z.string() })),
      tookMs: z.number().meta({ description: 'How long PostgreSQL took over it' }),
    }),
  },
};

/** What was earned, read from the orders themselves. */
export function registerStats(app: App, { pool, clock, onRequest }: StatsParts): void {
  app.get('/api/admin/stats', { schema: stats, onRequest }, async request => {
    const to = request.query.to ?? new Date(clock.nowMs());
    const from = request.query.from ?? new Date(to.getTime() - daysUnlessSaid * dayMs);
    if (from >= to) throw new ProblemError('invalid', 'to: expected a time after from');
    if (to.getTime() - from.getTime() > daysMax * dayMs) {
      throw new ProblemError('invalid', `from: expected at most ${daysMax} days before to`);
    }
    const startedAtMs = performance.now();
    const revenue = await readRevenue(pool, from, to);
    const tookMs = Math.round((performance.now() - startedAtMs) * 10) / 10;
    return { from: from.toISOString(), to: to.toISOString(), ...revenue, tookMs };
  });
}
