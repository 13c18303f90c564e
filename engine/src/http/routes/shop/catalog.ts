import { z } from 'zod';
import type { Calendar } from '../../../catalog/calendar.js';
import type { ListProductIds } from '../../../catalog/products.js';
import type { DatabaseClock } from '../../../platform/database-clock.js';
import { slugs } from '../../answers/problem-slugs.js';
import { currencySchema, idParamSchema, idSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { productView } from '../../answers/views.js';
import type { App } from '../../server/http-server.js';
import type { LookAtStock } from '../../streams/stock-broadcast.js';

export type CatalogParts = {
  calendar: Calendar;
  clock: DatabaseClock;
  lookAtStock: LookAtStock;
  listProductIds: ListProductIds;
};

export const recurrenceSchema = z.object({ cron: z.string(), timeZone: z.string() });

export const stateSchema = z.enum(['upcoming', 'open', 'paused', 'ended']);

export const saleSchema = z.object({
  id: idSchema,
  productId: idSchema,
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  perUserLimit: z.int(),
  perPaymentLimit: z
    .int()
    .nullable()
    .meta({ description: 'Units for one payment fingerprint; null is no limit' }),
  perAddressLimit: z.int().nullable().meta({ description: 'Units for one address; null is no limit' }),
  priceMinor: z.int(),
  currency: currencySchema,
  holdTtlSeconds: z.int(),
  payment: z.enum(['none', 'required']),
  prizeOdds: z.int().nullable().meta({ description: 'One purchase in so many wins; null without a prize' }),
  challenge: z.int().nullable().meta({ description: 'Numbers to try at most; null without a challenge' }),
  requiresToken: z.boolean().meta({ description: 'Whether a token has to be fetched before it opens' }),
  status: z.enum(['active', 'paused', 'ended']),
  state: stateSchema,
  seriesId: idSchema.nullable(),
  recurrence: recurrenceSchema.nullable().meta({ description: 'How the series of this window repeats' }),
});

export const productSchema = z.object({
  id: idSchema,
  name: z.string(),
  description: z.string(),
  imageUrl: z.string().nullable(),
  priceMinor: z.int(),
  currency: currencySchema,
});

const offerSchema = productSchema.extend({ sale: saleSchema.nullable() });

const stockSchema = z.object({
  success: z.literal(true),
  productId: idSchema,
  saleId: idSchema,
  stock: z.int().meta({ description: 'Units available' }),
  reserved: z.int(),
  sold: z.int(),
  allocation: z.int(),
  state: z.enum([...stateSchema.options, 'sold-out']),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  now: z.iso.datetime().meta({ description: "The server's time, for countdowns" }),
});

const listQuerySchema = z.strictObject({
  after: idParamSchema.optional().meta({ description: 'Continue after this product id' }),
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'expected a whole number from 1 to 100')
    .transform(Number)
    .optional(),
});

/** What everybody may look at: products and stock, answered from memory. */
export function registerCatalog(app: App, parts: CatalogParts): void {
  const { calendar, clock, lookAtStock, listProductIds } = parts;

  async function offerOf(productId: number) {
    const offer = await calendar.offerOf(productId);
    if (!offer) throw new ProblemError('product-not-found');
    return offer;
  }

  const list = {
    summary: 'Products with their current or next sale',
    tags: ['shop'],
    querystring: listQuerySchema,
    response: {
      200: z.object({
        products: z.array(offerSchema),
        next: idSchema.nullable(),
        now: z.iso.datetime().meta({ description: "The server's time, for countdowns" }),
      }),
    },
  };
  app.get('/api/products', { schema: list }, async request => {
    const { after = 0, limit = 50 } = request.query;
    const ids = await listProductIds(after, limit);
    const offers = await Promise.all(ids.map(id => calendar.offerOf(id)));
    const nowMs = clock.nowMs();
    const products = offers.flatMap(offer => (offer ? [productView(offer, nowMs)] : []));
    const next = ids.length === limit ? (ids.at(-1) ?? null) : null;
    return { products, next, now: new Date(nowMs).toISOString() };
  });

  const one = {
    summary: 'A product with its current or next sale',
    problems: slugs('product-not-found'),
    tags: ['shop'],
    params: z.object({ id: idParamSchema }),
    response: { 200: offerSchema },
  };
  app.get('/api/products/:id', { schema: one }, async request =>
    productView(await offerOf(request.params.id), clock.nowMs()),
  );

  const stock = {
    summary: 'Units left; made for polling',
    problems: slugs('product-not-found', 'sale-not-found'),
    tags: ['shop'],
    params: z.object({ productId: idParamSchema }),
    response: { 200: stockSchema },
  };
  app.get('/api/stock/:productId', { schema: stock }, async (request, reply) => {
    const { productId } = request.params;
    const stock = await lookAtStock(productId);
    if (stock) return reply.header('cache-control', 'no-store').send(stock);
    await offerOf(productId);
    throw new ProblemError('sale-not-found', 'This product has no sale.');
  });
}
