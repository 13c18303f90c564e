import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Pool } from '../../../platform/postgres.js';
import type { Destinations } from '../../../webhooks/address.js';
import {
  changeEndpoint,
  createEndpoint,
  deleteEndpoint,
  type Endpoint,
  listEndpoints,
  readEndpoint,
  rotateSecret,
  webhookEventTypes,
} from '../../../webhooks/endpoints.js';
import type { Seal } from '../../../webhooks/seal.js';
import { slugs } from '../../answers/problem-slugs.js';
import { idParamSchema, textSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type WebhookEndpointParts = { identity: Identity; pool: Pool; seal: Seal; destinations: Destinations };

const endpointSchema = z.object({
  id: z.int(),
  url: z.string(),
  description: z.string(),
  events: z.array(z.enum(webhookEventTypes)),
  status: z.enum(['enabled', 'disabled']),
  disabledReason: z.enum(['by-operator', 'failing', 'gone']).nullable(),
  failingSince: z.iso.datetime().nullable(),
  formerSecretUntil: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
});
const withSecretSchema = endpointSchema.extend({
  secret: z.string().meta({ description: 'Told here and never again' }),
});

const urlSchema = textSchema(1, 2000).meta({ description: 'https, and an address of the internet' });
const eventsSchema = z
  .array(z.enum(webhookEventTypes))
  .min(1)
  .max(webhookEventTypes.length)
  .refine(events => new Set(events).size === events.length, 'expected each event once');
const descriptionSchema = textSchema(0, 200);

// Long enough to change over by hand in every place, short enough that a secret that got out ends.
const overlapDefaultSeconds = 86_400;
const overlapMaxSeconds = 7 * 86_400;

const tags = ['operator'];
const params = z.object({ id: idParamSchema });
const notFound = slugs('webhook-not-found');

const create = {
  summary: 'Have events told to a URL; the secret that signs them is in this answer alone',
  problems: slugs('too-many-webhooks'),
  tags,
  body: z.strictObject({
    url: urlSchema,
    events: eventsSchema,
    description: descriptionSchema.default(''),
  }),
  response: { 201: withSecretSchema },
};
const list = {
  summary: 'Where events are told',
  tags,
  response: { 200: z.object({ webhooks: z.array(endpointSchema) }) },
};
const read = { summary: 'One of them', problems: notFound, tags, params, response: { 200: endpointSchema } };
const change = {
  summary: 'Change it; enabled again, it is sent what has waited',
  problems: notFound,
  tags,
  params,
  body: z.strictObject({
    url: urlSchema.optional(),
    events: eventsSchema.optional(),
    description: descriptionSchema.optional(),
    enabled: z.boolean().optional(),
  }),
  response: { 200: endpointSchema },
};
const remove = {
  summary: 'Tell it nothing any more, and forget its deliveries',
  problems: notFound,
  tags,
  params,
  response: { 204: z.null() },
};
const rotate = {
  summary: 'A new secret; the one before signs as well until the overlap is over',
  problems: notFound,
  tags,
  params,
  body: z
    .strictObject({ overlapSeconds: z.int().min(0).max(overlapMaxSeconds).default(overlapDefaultSeconds) })
    .nullish(),
  response: { 200: withSecretSchema },
};

/** Where operators have events told. */
export function registerWebhookEndpoints(app: App, parts: WebhookEndpointParts): void {
  const { identity, pool, seal, destinations } = parts;
  const onRequest = async (request: FastifyRequest) => identity.requireOperator(request);

  function checkUrl(text: string | undefined): void {
    if (text === undefined) return;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const why = url ? destinations.whyNot(url) : 'expected an address such as https://shop.example/webhooks';
    if (why !== undefined) throw new ProblemError('invalid', `url: ${why}`);
  }

  app.post('/api/admin/webhooks', { schema: create, onRequest }, async (request, reply) => {
    checkUrl(request.body.url);
    const created = await createEndpoint(pool, seal, request.body);
    if (!created) throw new ProblemError('too-many-webhooks');
    return reply.code(201).send({ ...endpointView(created.endpoint), secret: created.secret });
  });

  app.get('/api/admin/webhooks', { schema: list, onRequest }, async () => ({
    webhooks: (await listEndpoints(pool)).map(endpointView),
  }));

  app.get('/api/admin/webhooks/:id', { schema: read, onRequest }, async request =>
    endpointView(found(await readEndpoint(pool, request.params.id))),
  );

  app.patch('/api/admin/webhooks/:id', { schema: change, onRequest }, async request => {
    checkUrl(request.body.url);
    const { url, events, description, enabled } = request.body;
    const changes = {
      ...(url !== undefined && { url }),
      ...(events !== undefined && { events }),
      ...(description !== undefined && { description }),
      ...(enabled !== undefined && { enabled }),
    };
    return endpointView(found(await changeEndpoint(pool, request.params.id, changes)));
  });

  app.delete('/api/admin/webhooks/:id', { schema: remove, onRequest }, async (request, reply) => {
    if (!(await deleteEndpoint(pool, request.params.id))) throw new ProblemError('webhook-not-found');
    return reply.code(204).send(null);
  });

  app.post('/api/admin/webhooks/:id/rotate', { schema: rotate, onRequest }, async request => {
    const overlapSeconds = request.body?.overlapSeconds ?? overlapDefaultSeconds;
    const { endpoint, secret } = found(await rotateSecret(pool, seal, request.params.id, overlapSeconds));
    return { ...endpointView(endpoint), secret };
  });
}

function found<Found>(value: Found | undefined): Found {
  if (value === undefined) throw new ProblemError('webhook-not-found');
  return value;
}

function endpointView({ endpointId, failingSince, formerSecretUntil, createdAt, ...rest }: Endpoint) {
  return {
    id: endpointId,
    ...rest,
    failingSince: failingSince?.toISOString() ?? null,
    formerSecretUntil: formerSecretUntil?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}
