import { z } from 'zod';
import type { Pool } from '../../../platform/postgres.js';
import {
  addTestDelivery,
  type Delivery,
  deliveryStatuses,
  listDeliveries,
  replayDelivery,
  replayFailedSince,
  replaysMax,
} from '../../../webhooks/deliveries.js';
import { type Endpoint, readEndpoint } from '../../../webhooks/endpoints.js';
import { slugs } from '../../answers/problem-slugs.js';
import { idParamSchema, pageLimitSchema, timeSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type WebhookDeliveryParts = { identity: Identity; pool: Pool };

const deliverySchema = z.object({
  id: z.int(),
  eventId: z.uuid().meta({ description: 'The webhook-id header of the message' }),
  type: z.string(),
  status: z.enum(deliveryStatuses),
  tries: z.int(),
  dueAt: z.iso.datetime().nullable(),
  triedAt: z.iso.datetime().nullable(),
  lastStatus: z.int().nullable(),
  lastError: z.string().nullable(),
  createdAt: z.iso.datetime(),
});

const deliveryExample = {
  id: 1,
  eventId: '0199a3c2-7f10-7c3a-9d52-4b1e6f8a2c07',
  type: 'webhook.test',
  status: 'pending',
  tries: 0,
  dueAt: '2026-11-20T12:00:00.000Z',
  triedAt: null,
  lastStatus: null,
  lastError: null,
  createdAt: '2026-11-20T12:00:00.000Z',
} as const satisfies z.input<typeof deliverySchema>;

const tags = ['operator'];
const params = z.object({ id: idParamSchema });
const notFound = slugs('webhook-not-found');

const list = {
  operationId: 'listDeliveries',
  summary: 'List the deliveries of a webhook, newest first',
  problems: notFound,
  callers: 'operators',
  tags,
  params,
  querystring: z.strictObject({
    status: z.enum(deliveryStatuses).optional(),
    before: idParamSchema.optional(),
    limit: pageLimitSchema(1000),
  }),
  response: {
    200: withExample(z.object({ deliveries: z.array(deliverySchema), next: z.int().nullable() }), {
      deliveries: [deliveryExample],
      next: null,
    }),
  },
} as const;
const test = {
  operationId: 'testWebhook',
  summary: 'Send a test event to a webhook',
  description: 'The type of the event is `webhook.test`.',
  problems: slugs('webhook-not-found', 'webhook-disabled'),
  callers: 'operators',
  tags,
  params,
  response: { 202: withExample(deliverySchema, deliveryExample) },
} as const;
const replayOne = {
  operationId: 'replayDelivery',
  summary: 'Redeliver an event under the same webhook-id',
  problems: slugs('webhook-not-found', 'delivery-not-found'),
  callers: 'operators',
  tags,
  params: params.extend({ deliveryId: idParamSchema }),
  response: { 202: withExample(deliverySchema, deliveryExample) },
} as const;
const replayMany = {
  operationId: 'replayFailedDeliveries',
  summary: 'Redeliver the events that have failed since a given time, oldest first',
  problems: notFound,
  callers: 'operators',
  tags,
  params,
  body: withExample(z.strictObject({ since: timeSchema }), { since: '2026-01-01T00:00:00Z' }),
  response: {
    202: withExample(
      z.object({
        replayed: z.int(),
        hasMore: z.boolean().meta({
          description: `Whether more may be left: one call redelivers up to ${replaysMax}`,
        }),
      }),
      { replayed: 0, hasMore: false },
    ),
  },
} as const;

/** The outcomes of deliveries, and redelivery. */
export function registerWebhookDeliveries(app: App, { identity, pool }: WebhookDeliveryParts): void {
  const onRequest = identity.requireOperator;

  async function find(endpointId: number): Promise<Endpoint> {
    const endpoint = await readEndpoint(pool, endpointId);
    if (!endpoint) throw new ProblemError('webhook-not-found');
    return endpoint;
  }

  app.get('/api/admin/webhooks/:id/deliveries', { schema: list, onRequest }, async request => {
    const { endpointId } = await find(request.params.id);
    const { status, before, limit } = request.query;
    const deliveries = await listDeliveries(pool, { endpointId, status, before, limit });
    const next = deliveries.length === limit ? (deliveries.at(-1)?.deliveryId ?? null) : null;
    return { deliveries: deliveries.map(deliveryView), next };
  });

  app.post('/api/admin/webhooks/:id/test', { schema: test, onRequest }, async (request, reply) => {
    const { endpointId, status } = await find(request.params.id);
    if (status === 'disabled') throw new ProblemError('webhook-disabled');
    return reply.code(202).send(deliveryView(await addTestDelivery(pool, endpointId)));
  });

  app.post(
    '/api/admin/webhooks/:id/deliveries/:deliveryId/replay',
    { schema: replayOne, onRequest },
    async (request, reply) => {
      const { endpointId } = await find(request.params.id);
      const delivery = await replayDelivery(pool, endpointId, request.params.deliveryId);
      if (!delivery) throw new ProblemError('delivery-not-found');
      return reply.code(202).send(deliveryView(delivery));
    },
  );

  app.post('/api/admin/webhooks/:id/replay', { schema: replayMany, onRequest }, async (request, reply) => {
    const { endpointId } = await find(request.params.id);
    const replayed = await replayFailedSince(pool, endpointId, request.body.since);
    return reply.code(202).send({ replayed, hasMore: replayed === replaysMax });
  });
}

function deliveryView({ deliveryId, endpointId: _, dueAt, triedAt, createdAt, ...rest }: Delivery) {
  return {
    id: deliveryId,
    ...rest,
    dueAt: dueAt?.toISOString() ?? null,
    triedAt: triedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}
