import { z } from 'zod';
import { type ListedSale, listSales } from '../../../catalog/list-sales.js';
import type { DatabaseClock } from '../../../platform/database-clock.js';
import type { Pool } from '../../../platform/postgres.js';
import { slugs } from '../../answers/problem-slugs.js';
import { idParamSchema, idSchema, pageLimitSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { saleView } from '../../answers/views.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';
import { saleExample, saleSchema, stateSchema } from '../shop/catalog.js';

export type AdminSalesParts = {
  pool: Pool;
  clock: DatabaseClock;
  identity: Identity;
};

const listedSaleSchema = saleSchema.extend({
  productName: z.string(),
  imageUrl: z.string().nullable(),
  allocation: z.int(),
  stock: z.int().meta({ description: 'Units available' }),
  reserved: z.int(),
  sold: z.int(),
});

const listedSaleExample = {
  ...saleExample,
  productName: 'Meridian trainers',
  imageUrl: 'https://shop.example/pictures/meridian-trainers.jpg',
  allocation: 10_000,
  stock: 9998,
  reserved: 0,
  sold: 2,
} satisfies z.input<typeof listedSaleSchema>;

const list = {
  operationId: 'listSales',
  summary: 'List sales with their stock, newest first',
  callers: 'operators',
  tags: ['operator'],
  querystring: z.strictObject({
    state: stateSchema.optional(),
    productId: idParamSchema.optional(),
    before: idParamSchema.optional().meta({ description: '`next` of the previous page' }),
    limit: pageLimitSchema(1000),
  }),
  response: {
    200: withExample(
      z.object({
        sales: z.array(listedSaleSchema),
        next: idSchema.nullable(),
        now: z.iso.datetime().meta({ description: "The server's time" }),
      }),
      { sales: [listedSaleExample], next: null, now: '2026-11-20T12:00:00.000Z' },
    ),
  },
} as const;

const read = {
  operationId: 'getSale',
  summary: 'Get a sale with its stock',
  problems: slugs('sale-not-found'),
  callers: 'operators',
  tags: ['operator'],
  params: z.object({ id: idParamSchema }),
  response: { 200: withExample(listedSaleSchema, listedSaleExample) },
} as const;

/** Sales as operators see them: read from the ledger instead of memory, including those that have ended. */
export function registerAdminSales(app: App, { identity, pool, clock }: AdminSalesParts): void {
  const onRequest = identity.requireOperator;
  app.get('/api/admin/sales', { schema: list, onRequest }, async request => {
    const { before, limit, ...filter } = request.query;
    const page = await listSales(pool, filter, { before, limit });
    const nowMs = clock.nowMs();
    return {
      sales: page.map(sale => listedSaleView(sale, nowMs)),
      next: page.length === limit ? (page.at(-1)?.saleId ?? null) : null,
      now: new Date(nowMs).toISOString(),
    };
  });

  app.get('/api/admin/sales/:id', { schema: read, onRequest }, async request => {
    const [sale] = await listSales(pool, { saleId: request.params.id }, { before: undefined, limit: 1 });
    if (!sale) throw new ProblemError('sale-not-found');
    return listedSaleView(sale, clock.nowMs());
  });
}

function listedSaleView({ available, ...sale }: ListedSale, nowMs: number) {
  const { productName, imageUrl, allocation, reserved, sold, ...own } = sale;
  return { ...saleView(own, nowMs), productName, imageUrl, allocation, stock: available, reserved, sold };
}
