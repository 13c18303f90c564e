import { z } from 'zod';
import type { Calendar } from '../../../catalog/calendar.js';
import { changeProduct, createProduct, type Product, readProducts } from '../../../catalog/products.js';
import type { Payments } from '../../../payments/resilient.js';
import { currencies } from '../../../platform/currencies.js';
import type { Pool } from '../../../platform/postgres.js';
import { slugs } from '../../answers/problem-slugs.js';
import { idParamSchema, newCurrencySchema, priceSchema, textSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';
import { productExample, productSchema } from '../shop/catalog.js';

export type AdminProductsParts = {
  pool: Pool;
  calendar: Calendar;
  stepMinor: Payments['stepMinor'];
  identity: Identity;
};

const imageUrlSchema = textSchema(1, 2000).pipe(z.url({ protocol: /^https?$/ }));

const newProductSchema = z.strictObject({
  name: textSchema(1, 200),
  description: textSchema(0, 10_000).optional(),
  imageUrl: imageUrlSchema.optional(),
  priceMinor: priceSchema,
  currency: newCurrencySchema,
});

const create = {
  operationId: 'createProduct',
  summary: 'Create a product',
  callers: 'operators',
  tags: ['operator'],
  body: withExample(newProductSchema, {
    name: productExample.name,
    description: productExample.description,
    imageUrl: productExample.imageUrl,
    priceMinor: productExample.priceMinor,
    currency: productExample.currency,
  }),
  response: { 201: withExample(productSchema, productExample) },
} as const;

const change = {
  operationId: 'updateProduct',
  summary: 'Update a product',
  description: 'Fields that are left out stay as they are. Existing sales keep their price.',
  problems: slugs('product-not-found'),
  callers: 'operators',
  tags: ['operator'],
  params: z.object({ id: idParamSchema }),
  body: withExample(
    newProductSchema.partial().extend({
      imageUrl: imageUrlSchema.nullish().meta({ description: 'null removes the picture' }),
    }),
    { description: 'Sold out within a minute last year.', imageUrl: null },
  ),
  response: {
    200: withExample(productSchema, {
      ...productExample,
      description: 'Sold out within a minute last year.',
      imageUrl: null,
    }),
  },
} as const;

export function registerAdminProducts(app: App, parts: AdminProductsParts): void {
  const { identity, pool, calendar, stepMinor } = parts;
  const onRequest = identity.requireOperator;

  app.post('/api/admin/products', { schema: create, onRequest }, async (request, reply) => {
    checkChargeable(request.body, stepMinor);
    return reply.code(201).send(productOf(await createProduct(pool, request.body)));
  });

  app.patch('/api/admin/products/:id', { schema: change, onRequest }, async request => {
    const isPriced = request.body.priceMinor !== undefined || request.body.currency !== undefined;
    const [known] = isPriced ? await readProducts(pool, [request.params.id]) : [];
    if (known) {
      const { priceMinor = known.priceMinor, currency = known.currency } = request.body;
      checkChargeable({ priceMinor, currency }, stepMinor);
    }
    const changed = await changeProduct(pool, request.params.id, request.body);
    if (!changed) throw new ProblemError('product-not-found');
    await calendar.refresh(changed.productId);
    return productOf(changed);
  });
}

/** @throws ProblemError invalid for a currency no longer in use, or a price that the payment provider cannot charge */
export function checkChargeable(
  { priceMinor, currency }: Pick<Product, 'priceMinor' | 'currency'>,
  stepMinor: Payments['stepMinor'],
): void {
  if (!currencies.has(currency))
    throw new ProblemError('invalid', `currency: ${currency} is no longer in use`);
  const step = stepMinor(currency);
  if (priceMinor % step === 0) return;
  throw new ProblemError(
    'invalid',
    `priceMinor: expected a multiple of ${step}, the smallest step that the payment provider charges in ${currency}`,
  );
}

function productOf({ productId: id, ...rest }: Product) {
  return { id, ...rest };
}
