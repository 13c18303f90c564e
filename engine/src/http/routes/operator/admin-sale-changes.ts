import { z } from 'zod';
import type { Calendar } from '../../../catalog/calendar.js';
import { readProducts } from '../../../catalog/products.js';
import { cronLengthMax, problemOf, timeZoneLengthMax } from '../../../catalog/recurrence.js';
import { changeSaleStatus, createSale, type Sale, type SaleStatus } from '../../../catalog/sales.js';
import { createSeries } from '../../../catalog/series.js';
import type { Payments } from '../../../payments/resilient.js';
import type { DatabaseClock } from '../../../platform/database-clock.js';
import type { Pool } from '../../../platform/postgres.js';
import { slugs } from '../../answers/problem-slugs.js';
import { idParamSchema, idSchema, textSchema, timeSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { saleView } from '../../answers/views.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';
import { saleExample, saleSchema } from '../shop/catalog.js';
import { checkChargeable } from './admin-products.js';

export type SaleChangesParts = {
  identity: Identity;
  pool: Pool;
  clock: DatabaseClock;
  calendar: Calendar;
  /** Whether a payment provider is configured. */
  canBePaid: boolean;
  stepMinor: Payments['stepMinor'];
};

const newSaleSchema = z
  .strictObject({
    productId: idSchema,
    startsAt: timeSchema,
    endsAt: timeSchema,
    allocation: z.int().min(1).max(2_000_000_000),
    perUserLimit: z.int().min(1).max(100_000),
    perPaymentLimit: z.int().min(1).max(100_000).nullable().default(null),
    perAddressLimit: z.int().min(1).max(100_000).nullable().default(null),
    holdTtlSeconds: z.int().min(1).max(86_400).default(900),
    payment: z.enum(['none', 'required']).default('none'),
    prizeOdds: z.int().min(1).max(1_000_000).nullable().default(null),
    // A slow phone tries some 100,000 numbers a second; far fewer cost a bot nothing.
    challenge: z.int().min(1000).max(10_000_000).nullable().default(null),
    requiresToken: z.boolean().default(false),
    recurrence: z
      .strictObject({ cron: textSchema(0, cronLengthMax), timeZone: textSchema(0, timeZoneLengthMax) })
      .optional(),
  })
  .refine(sale => sale.startsAt < sale.endsAt, {
    path: ['endsAt'],
    message: 'expected a time after startsAt',
  })
  .refine(sale => !sale.recurrence || (sale.challenge === null && !sale.requiresToken), {
    path: ['recurrence'],
    message: 'not allowed with a challenge or a token, which belong to a single window',
  })
  .superRefine(({ recurrence, startsAt, endsAt }, context) => {
    const problem = recurrence && problemOf({ recurrence, startsAt, endsAt });
    if (problem) context.addIssue({ code: 'custom', ...problem });
  });

const newSaleExample = {
  productId: 1,
  startsAt: saleExample.startsAt,
  endsAt: saleExample.endsAt,
  allocation: 10_000,
  perUserLimit: 10,
} satisfies z.input<typeof newSaleSchema>;

const changes = [
  {
    verb: 'pause',
    status: 'paused',
    summary: 'Pause a sale',
    example: { ...saleExample, status: 'paused', state: 'paused' },
  },
  {
    verb: 'resume',
    status: 'active',
    summary: 'Resume a paused sale',
    example: saleExample,
  },
  {
    verb: 'end',
    status: 'ended',
    summary: 'End a sale for good',
    example: { ...saleExample, status: 'ended', state: 'ended' },
  },
] as const satisfies { verb: string; status: SaleStatus; summary: string; example: object }[];

const tags = ['operator'];

const create = {
  operationId: 'createSale',
  summary: 'Create a sale, or a series of sales that repeats',
  description:
    'With a `recurrence` the sale is the first of a series. The sale keeps the current price of its product.',
  problems: slugs('product-not-found', 'sale-overlaps'),
  callers: 'operators',
  tags,
  body: withExample(newSaleSchema, newSaleExample),
  response: { 201: withExample(saleSchema, saleExample) },
} as const;

/** Creates, pauses, resumes and ends sales. */
export function registerSaleChanges(
  app: App,
  { identity, pool, clock, calendar, canBePaid, stepMinor }: SaleChangesParts,
): void {
  const onRequest = identity.requireOperator;

  // Other processes see a change within 100 ms; in this process it is in effect before the answer.
  async function changed(sale: Sale) {
    await calendar.refresh(sale.productId);
    return saleView(sale, clock.nowMs());
  }

  app.post('/api/admin/sales', { schema: create, onRequest }, async (request, reply) => {
    const { recurrence, ...terms } = request.body;
    if (terms.payment === 'required' && !canBePaid) {
      throw new ProblemError('invalid', 'payment: expected "none" while PAYMENT_PROVIDER is none');
    }
    // Read again, because another process may have changed it and this one may not know yet.
    const [product] = terms.payment === 'required' ? await readProducts(pool, [terms.productId]) : [];
    if (product) checkChargeable(product, stepMinor);
    const created = await (recurrence ? createSeries(pool, terms, recurrence) : createSale(pool, terms));
    if (created.outcome !== 'created') throw new ProblemError(created.outcome);
    return reply.code(201).send(await changed(created.sale));
  });

  for (const { verb, status, summary, example } of changes) {
    const params = z.object({ id: idParamSchema });
    const schema = {
      operationId: `${verb}Sale`,
      summary,
      description: 'Once this call returns, no purchase is decided under the previous status.',
      problems: slugs('sale-not-found', 'sale-ended'),
      callers: 'operators',
      tags,
      params,
      response: { 200: withExample(saleSchema, example) },
    } as const;
    app.post(`/api/admin/sales/:id/${verb}`, { schema, onRequest }, async request => {
      const change = await changeSaleStatus(pool, request.params.id, status);
      if (change.outcome !== 'changed') throw new ProblemError(change.outcome);
      return changed(change.sale);
    });
  }
}
