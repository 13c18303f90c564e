import { z } from 'zod';
import { entrances, orderStatuses } from '../../../ledger/order-record.js';
import { listOrders, type StoredOrder } from '../../../ledger/orders.js';
import type { Pool } from '../../../platform/postgres.js';
import { csvOf, wantsCsv } from '../../answers/csv.js';
import { nextPageUrl } from '../../answers/next-page.js';
import {
  currencySchema,
  formatSchema,
  idParamSchema,
  idSchema,
  pageLimitSchema,
  shopperIdSchema,
} from '../../answers/schemas.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

const querySchema = z
  .strictObject({
    saleId: idParamSchema.optional(),
    orderId: z.uuid().optional(),
    shopperId: shopperIdSchema.optional(),
    status: z.enum(orderStatuses).optional(),
    entrance: z.enum(entrances).optional(),
    after: z.uuid().optional().meta({ description: '`next` of the previous page' }),
    limit: pageLimitSchema(10_000),
    format: formatSchema,
  })
  .refine(({ saleId, orderId }) => saleId !== undefined || orderId !== undefined, {
    path: ['saleId'],
    message: 'expected a saleId or an orderId',
  });

const orderSchema = z.object({
  id: z.uuid(),
  saleId: idSchema,
  productId: idSchema,
  shopperId: z.string(),
  quantity: z.int(),
  totalMinor: z.int(),
  currency: currencySchema,
  entrance: z.enum(entrances),
  status: z.enum(orderStatuses),
  reason: z.string().nullable(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  prize: z.boolean().nullable(),
});

const orderExample = {
  id: '29f28461-0ee4-88ee-afa9-bb9b284bc448',
  saleId: 1,
  productId: 1,
  shopperId: 'alice',
  quantity: 2,
  totalMinor: 25_800,
  currency: 'EUR',
  entrance: 'direct',
  status: 'CONFIRMED',
  reason: null,
  createdAt: '2026-11-20T12:00:00.000Z',
  expiresAt: null,
  prize: null,
} satisfies z.input<typeof orderSchema>;

const csvColumns = orderSchema.keyof().options;

const csvExample = csvOf(csvColumns, [orderExample]);

const list = {
  operationId: 'findOrders',
  summary: 'Find the orders of a sale, or one order, as JSON or CSV',
  description: 'Sorted by id. Requires a `saleId` or an `orderId`.',
  callers: 'operators',
  tags: ['operator'],
  querystring: querySchema,
  response: {
    200: {
      description: 'CSV if the caller asks for it, with the next page in the Link header',
      content: {
        'application/json': {
          schema: withExample(z.object({ orders: z.array(orderSchema), next: z.uuid().nullable() }), {
            orders: [orderExample],
            next: null,
          }),
        },
        'text/csv': { schema: withExample(z.string(), csvExample) },
      },
    },
  },
} as const;

export type AdminOrdersParts = { identity: Identity; pool: Pool };

/** The orders of all shoppers. */
export function registerAdminOrders(app: App, { identity, pool }: AdminOrdersParts): void {
  const onRequest = identity.requireOperator;

  app.get('/api/admin/orders', { schema: list, onRequest }, async (request, reply) => {
    const { after, limit, format, ...filter } = request.query;
    const page = await listOrders(pool, filter, { after, limit });
    const orders = page.map(adminOrderView);
    const next = page.length === limit ? (page.at(-1)?.orderId ?? null) : null;
    if (!wantsCsv(format, request)) return { orders, next };
    if (next) reply.header('link', `<${nextPageUrl(request.url, next)}>; rel="next"`);
    return reply.type('text/csv; charset=utf-8').send(csvOf(csvColumns, orders));
  });
}

function adminOrderView(order: StoredOrder) {
  const { orderId: id, saleId, productId, shopperId, quantity, totalMinor, currency } = order;
  const { entrance, status, reason, createdAt, expiresAt, prize } = order;
  return {
    id,
    saleId,
    productId,
    shopperId,
    quantity,
    totalMinor,
    currency,
    entrance,
    status,
    reason,
    prize,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
  };
}
