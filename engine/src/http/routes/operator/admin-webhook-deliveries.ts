import type { FastifyRequest } from 'fastify';
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
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type WebhookDeliveryParts = { identity: Identity; pool: Pool };

const deliverySchema = z.object({
  id: z.int(),
  eventId: z.uuid().meta({ description: 'The webhook-id that the receiver sees' }),
  type: z.string(),
  status: z.enum(deliveryStatuses),
  tries: z.int(),
  dueAt: z.iso.datetime().nullable(),
  triedAt: z.iso.datetime().nullable(),
  lastStatus: z.int().nullable(),
  lastError: z.string().nullable(),
  createdAt: z.iso.datetime(),
});

const tags = ['operator'];
const params = z.object({ id: idParamSchema });
const notFound = slugs('webhook-not-found');

const list = {
  summary: 'What was and is to be told to it, newest first',
  problems: notFound,
  tags,
  params,
  querystring: z.strictObject({
    status: z.enum(deliveryStatuses).optional(),
    before: idParamSchema.optional(),
    limit: pageLimitSchema(1000),
  }),
  response: { 200: z.object({ deliveries: z.array(deliverySchema), next: z.int().nullable() }) },
};
const test = {
  summary: 'Send it an event of type webhook.test',
  problems: slugs('webhook-not-found', 'webhook-disabled'),
  tags,
  params,
  response: { 202: deliverySchema },
};
const replayOne = {
  summary: 'Send it again, under the same webhook-id',
  problems: slugs('webhook-not-found', 'delivery-not-found'),
  tags,
  params: params.extend({ deliveryId: idParamSchema }),
  response: { 202: deliverySchema },
};
const replayMany = {
  summary: 'Send again what has failed since then, the oldest first',
  problems: notFound,
  tags,
  params,
  body: z.strictObject({ since: timeSchema }),
  response: {
    202: z.object({
      replayed: z.int(),
      hasMore: z.boolean().meta({ description: `There may be more than ${replaysMax}: ask again` }),
    }),
  },
};

/** What became of events that were told, and telling them again. */
export function registerWebhookDeliveries(app: App, { identity, pool }: WebhookDeliveryParts): void {
  const onRequest = async (request: FastifyRequest) => identity.requireOperator(request);

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
