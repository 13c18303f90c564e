import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Calendar } from '../../catalog/calendar.js';
import { changeProduct, createProduct, type Product } from '../../catalog/products.js';
import type { Pool } from '../../platform/postgres.js';
import { ProblemError } from '../problem.js';
import { slugs } from '../problems.js';
import { currencySchema, idParamSchema, priceSchema, textSchema } from '../schemas.js';
import type { App } from '../server.js';
import { productSchema } from './catalog.js';

export type AdminProductsParts = {
  pool: Pool;
  calendar: Calendar;
  onRequest: (request: FastifyRequest) => Promise<void>;
};

const imageUrlSchema = textSchema(1, 2000).pipe(z.url({ protocol: /^https?$/ }));

const newProductSchema = z.strictObject({
  name: textSchema(1, 200),
  description: textSchema(0, 10_000).optional(),
  imageUrl: imageUrlSchema.optional(),
  priceMinor: priceSchema,
  currency: currencySchema,
});

const create = {
  summary: 'Create a product',
  tags: ['operator'],
  body: newProductSchema,
  response: { 201: productSchema },
};

const change = {
  summary: 'Change what is given of a product; sales that exist keep their price',
  problems: slugs('product-not-found'),
  tags: ['operator'],
  params: z.object({ id: idParamSchema }),
  body: newProductSchema.partial().extend({
    imageUrl: imageUrlSchema.nullish().meta({ description: 'null takes the picture away' }),
  }),
  response: { 200: productSchema },
};

export function registerAdminProducts(app: App, { pool, calendar, onRequest }: AdminProductsParts): void {
  app.post('/api/admin/products', { schema: create, onRequest }, async (request, reply) =>
    reply.code(201).send(productOf(await createProduct(pool, request.body))),
  );

  app.patch('/api/admin/products/:id', { schema: change, onRequest }, async request => {
    const changed = await changeProduct(pool, request.params.id, request.body);
    if (!changed) throw new ProblemError('product-not-found');
    await calendar.refresh(changed.productId);
    return productOf(changed);
  });
}

function productOf({ productId: id, ...rest }: Product) {
  return { id, ...rest };
}
