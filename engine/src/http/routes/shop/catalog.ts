import { z } from 'zod';
import type { Calendar } from '../../../catalog/calendar.js';
import type { ListProductIds } from '../../../catalog/products.js';
import type { DatabaseClock } from '../../../platform/database-clock.js';
import { slugs } from '../../answers/problem-slugs.js';
import { currencySchema, idParamSchema, idSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { productView } from '../../answers/views.js';
import { withExample } from '../../description/with-example.js';
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
    .meta({ description: 'Units for each payment fingerprint; null for no limit' }),
  perAddressLimit: z
    .int()
    .nullable()
    .meta({ description: 'Units for each delivery address; null for no limit' }),
  priceMinor: z.int(),
  currency: currencySchema,
  holdTtlSeconds: z.int(),
  payment: z.enum(['none', 'required']),
  prizeOdds: z
    .int()
    .nullable()
    .meta({ description: 'One confirmed order in this many wins the prize; null without a prize' }),
  challenge: z
    .int()
    .nullable()
    .meta({ description: 'The maximum number of values that a solver has to try; null without a challenge' }),
  requiresToken: z
    .boolean()
    .meta({ description: 'Whether buyers need a token, which is available only before the sale opens' }),
  status: z.enum(['active', 'paused', 'ended']),
  state: stateSchema,
  seriesId: idSchema.nullable(),
  recurrence: recurrenceSchema.nullable().meta({ description: 'How the sale repeats; null if it does not' }),
});

export const productSchema = z.object({
  id: idSchema,
  name: z.string(),
  description: z.string(),
  imageUrl: z.string().nullable(),
  priceMinor: z.int(),
  currency: currencySchema,
});

export const saleExample = {
  id: 1,
  productId: 1,
  startsAt: '2026-01-01T00:00:00.000Z',
  endsAt: '2036-01-01T00:00:00.000Z',
  perUserLimit: 10,
  perPaymentLimit: null,
  perAddressLimit: null,
  priceMinor: 12_900,
  currency: 'EUR',
  holdTtlSeconds: 900,
  payment: 'none',
  prizeOdds: null,
  challenge: null,
  requiresToken: false,
  status: 'active',
  state: 'open',
  seriesId: null,
  recurrence: null,
} as const satisfies z.input<typeof saleSchema>;

export const productExample = {
  id: 1,
  name: 'Meridian trainers',
  description: 'Night-blue runners with a reflective seam.',
  imageUrl: 'https://shop.example/pictures/meridian-trainers.jpg',
  priceMinor: 12_900,
  currency: 'EUR',
} as const satisfies z.input<typeof productSchema>;

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

export const stockExample = {
  success: true,
  productId: 1,
  saleId: 1,
  stock: 9998,
  reserved: 0,
  sold: 2,
  allocation: 10_000,
  state: 'open',
  startsAt: '2026-01-01T00:00:00.000Z',
  endsAt: '2036-01-01T00:00:00.000Z',
  now: '2026-11-20T12:00:00.000Z',
} as const satisfies z.input<typeof stockSchema>;

const listQuerySchema = z.strictObject({
  after: idParamSchema.optional().meta({ description: 'The id of the last product on the previous page' }),
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'expected a whole number from 1 to 100')
    .transform(Number)
    .optional(),
});

const list = {
  operationId: 'listProducts',
  summary: 'List products with their current, next or last sale',
  callers: 'anyone',
  tags: ['shop'],
  querystring: listQuerySchema,
  response: {
    200: withExample(
      z.object({
        products: z.array(offerSchema),
        next: idSchema.nullable().meta({ description: '`after` for the next page; null on the last' }),
        now: z.iso.datetime().meta({ description: "The server's time, for countdowns" }),
      }),
      {
        products: [{ ...productExample, sale: saleExample }],
        next: 1,
        now: '2026-11-20T12:00:00.000Z',
      },
    ),
  },
} as const;

const one = {
  operationId: 'getProduct',
  summary: 'Get a product with its current, next or last sale',
  callers: 'anyone',
  problems: slugs('product-not-found'),
  tags: ['shop'],
  params: z.object({ id: idParamSchema }),
  response: { 200: withExample(offerSchema, { ...productExample, sale: saleExample }) },
} as const;

const stockOf = {
  operationId: 'getStock',
  summary: "Get the stock of a product's sale",
  description: 'Answered from memory, and cheap enough to poll.',
  callers: 'anyone',
  problems: slugs('product-not-found', 'sale-not-found'),
  tags: ['shop'],
  params: z.object({ productId: idParamSchema }),
  response: { 200: withExample(stockSchema, stockExample) },
} as const;

/** Public data: products and stock, answered from memory. */
export function registerCatalog(app: App, parts: CatalogParts): void {
  const { calendar, clock, lookAtStock, listProductIds } = parts;

  async function offerOf(productId: number) {
    const offer = await calendar.offerOf(productId);
    if (!offer) throw new ProblemError('product-not-found');
    return offer;
  }

  app.get('/api/products', { schema: list }, async request => {
    const { after = 0, limit = 50 } = request.query;
    const ids = await listProductIds(after, limit);
    const offers = await Promise.all(ids.map(id => calendar.offerOf(id)));
    const nowMs = clock.nowMs();
    const products = offers.flatMap(offer => (offer ? [productView(offer, nowMs)] : []));
    const next = ids.length === limit ? (ids.at(-1) ?? null) : null;
    return { products, next, now: new Date(nowMs).toISOString() };
  });

  app.get('/api/products/:id', { schema: one }, async request =>
    productView(await offerOf(request.params.id), clock.nowMs()),
  );

  app.get('/api/stock/:productId', { schema: stockOf }, async (request, reply) => {
    const { productId } = request.params;
    const stock = await lookAtStock(productId);
    if (stock) return reply.header('cache-control', 'no-store').send(stock);
    await offerOf(productId);
    throw new ProblemError('sale-not-found', 'This product has no sale.');
  });
}
