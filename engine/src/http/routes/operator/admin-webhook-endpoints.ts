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
import { withExample } from '../../description/with-example.js';
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
  secret: z.string().meta({ description: 'Signs the messages. Shown only in this answer.' }),
});

const endpointExample = {
  id: 1,
  url: 'https://shop.example/webhooks',
  description: 'Fulfilment',
  events: ['order.confirmed'],
  status: 'enabled',
  disabledReason: null,
  failingSince: null,
  formerSecretUntil: null,
  createdAt: '2026-11-20T12:00:00.000Z',
} satisfies z.input<typeof endpointSchema>;
const secretExample = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

const urlSchema = textSchema(1, 2000).meta({ description: 'An https address on the public internet' });
const eventsSchema = z
  .array(z.enum(webhookEventTypes))
  .min(1)
  .max(webhookEventTypes.length)
  .refine(events => new Set(events).size === events.length, 'expected each event once');
const descriptionSchema = textSchema(0, 200);

// Long enough to replace the secret by hand everywhere, short enough that a leaked secret expires.
const overlapDefaultSeconds = 86_400;
const overlapMaxSeconds = 7 * 86_400;

const tags = ['operator'];
const params = z.object({ id: idParamSchema });
const notFound = slugs('webhook-not-found');

const create = {
  operationId: 'createWebhook',
  summary: 'Create a webhook, which sends events to a URL',
  problems: slugs('too-many-webhooks'),
  callers: 'operators',
  tags,
  body: withExample(
    z.strictObject({
      url: urlSchema,
      events: eventsSchema,
      description: descriptionSchema.default(''),
    }),
    { url: 'https://shop.example/webhooks', events: ['order.confirmed'], description: 'Fulfilment' },
  ),
  response: { 201: withExample(withSecretSchema, { ...endpointExample, secret: secretExample }) },
} as const;
const list = {
  operationId: 'listWebhooks',
  summary: 'List webhooks',
  callers: 'operators',
  tags,
  response: {
    200: withExample(z.object({ webhooks: z.array(endpointSchema) }), { webhooks: [endpointExample] }),
  },
} as const;
const read = {
  operationId: 'getWebhook',
  summary: 'Get a webhook',
  problems: notFound,
  callers: 'operators',
  tags,
  params,
  response: { 200: withExample(endpointSchema, endpointExample) },
} as const;
const change = {
  operationId: 'updateWebhook',
  summary: 'Update, enable or disable a webhook',
  description: 'A webhook that is enabled again receives the events that waited while it was disabled.',
  problems: notFound,
  callers: 'operators',
  tags,
  params,
  body: withExample(
    z.strictObject({
      url: urlSchema.optional(),
      events: eventsSchema.optional(),
      description: descriptionSchema.optional(),
      enabled: z.boolean().optional(),
    }),
    { description: 'Warehouse' },
  ),
  response: { 200: withExample(endpointSchema, { ...endpointExample, description: 'Warehouse' }) },
} as const;
const remove = {
  operationId: 'deleteWebhook',
  summary: 'Delete a webhook and its deliveries',
  problems: notFound,
  callers: 'operators',
  tags,
  params,
  response: { 204: z.null() },
} as const;
const rotate = {
  operationId: 'rotateWebhookSecret',
  summary: 'Replace the secret of a webhook',
  description: 'Messages are also signed with the previous secret until the overlap ends.',
  problems: notFound,
  callers: 'operators',
  tags,
  params,
  body: withExample(
    z
      .strictObject({ overlapSeconds: z.int().min(0).max(overlapMaxSeconds).default(overlapDefaultSeconds) })
      .nullish(),
    { overlapSeconds: 3600 },
  ),
  response: {
    200: withExample(withSecretSchema, {
      ...endpointExample,
      description: 'Warehouse',
      formerSecretUntil: '2026-11-20T13:00:00.000Z',
      secret: secretExample,
    }),
  },
} as const;

/** The webhook endpoints to which events are sent, as operators manage them. */
export function registerWebhookEndpoints(app: App, parts: WebhookEndpointParts): void {
  const { identity, pool, seal, destinations } = parts;
  const onRequest = identity.requireOperator;

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
