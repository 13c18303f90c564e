import { STATUS_CODES } from 'node:http';
import type { SwaggerTransform } from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { orderStatuses } from '../../ledger/order-record.js';
import { type ProblemSlug, problems } from '../answers/problem-slugs.js';
import { classOf } from '../limits/route-class.js';
import { isRecord } from './is-record.js';
import { type Callers, securityOf } from './security-schemes.js';

declare module 'fastify' {
  interface FastifySchema {
    /** The refusals of this call beyond those of every call of its kind. docs/outcomes.md says when each occurs. */
    problems?: readonly ProblemSlug[];
    /** The callers that may make this call. */
    callers?: Callers;
  }
}

export const problemSchema = z
  .object({
    type: z
      .enum(Object.keys(problems).map(slug => `/problems/${slug}`))
      .meta({ description: 'Ends in a stable slug. Later versions may add slugs.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    success: z.literal(false),
    message: z.string(),
    orderId: z.uuid().optional().meta({ description: 'The order that the refusal is about' }),
    orderStatus: z.enum(orderStatuses).optional(),
    reason: z.string().nullable().optional().meta({ description: 'Why the order has its status' }),
  })
  .meta({ id: 'Problem', description: 'An RFC 9457 problem' });

const ofEveryCall: readonly ProblemSlug[] = [
  'invalid',
  'request-timeout',
  'headers-too-large',
  'unavailable',
];
// From the layers of protection, which do not apply to some routes.
const ofLayers: readonly ProblemSlug[] = ['rate-limited', 'overloaded'];
const ofCallsWithABody: readonly ProblemSlug[] = ['too-large', 'unsupported-media-type'];
const ofOperators: readonly ProblemSlug[] = ['not-authenticated', 'forbidden', 'locked-out'];
const ofActionsByCookie: readonly ProblemSlug[] = ['forbidden-origin', 'csrf'];

/**
 * Documents the credentials of a call, from its `callers`, and each of its refusals by exact status, from its
 * `problems`, method and tag.
 */
export const describeRoute: SwaggerTransform<FastifySchema & { hide?: boolean }> = input => {
  const { problems: own = [], callers, tags, ...schema } = input.schema;
  const isUnsafe = [input.route.method].flat().some(method => method !== 'GET' && method !== 'HEAD');
  const described = jsonSchemaTransform({ ...input, schema: { ...schema, ...(tags && { tags }) } });
  if (schema.hide) return described;
  const ofCaller = [...(tags?.includes('operator') ? ofOperators : []), ...own];
  const mayBeForged =
    isUnsafe && tags?.some(tag => tag !== 'operations') && ofCaller.includes('not-authenticated');
  const refusals = refusalsOf([
    ...ofEveryCall,
    ...(classOf(input.route) === 'free' ? [] : ofLayers),
    ...(isUnsafe ? ofCallsWithABody : []),
    ...(mayBeForged ? ofActionsByCookie : []),
    ...ofCaller,
  ]);
  return {
    ...described,
    schema: {
      ...described.schema,
      ...(callers && { security: securityOf(callers, isUnsafe) }),
      ...withBodyExamples(described.schema.body, schema.body),
      response: { ...refusals, ...grantsOf(described.schema.response) },
    },
  };
};

// zod omits the examples of a body if any of its fields has a default or is transformed.
function withBodyExamples(described: unknown, body: unknown) {
  if (!isRecord(described) || !(body instanceof z.ZodType)) return {};
  return { body: { ...described, examples: z.globalRegistry.get(body)?.examples } };
}

function refusalsOf(slugs: readonly ProblemSlug[]) {
  const slugsByStatus = new Map<number, ProblemSlug[]>();
  for (const slug of new Set(slugs)) {
    const { status } = problems[slug];
    slugsByStatus.set(status, [...(slugsByStatus.get(status) ?? []), slug]);
  }
  return Object.fromEntries(
    [...slugsByStatus].map(([status, ofStatus]) => [
      status,
      {
        description: `${STATUS_CODES[status]}: ${ofStatus.map(slug => `\`${slug}\``).join(', ')}`,
        content: {
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            examples: Object.fromEntries(
              ofStatus.map(slug => [slug, { $ref: `#/components/examples/${slug}` }]),
            ),
          },
        },
      },
    ]),
  );
}

/**
 * The answers of a route that are not refusals, each with a description, and with examples where OpenAPI expects them.
 */
function grantsOf(responses: unknown) {
  if (!isRecord(responses)) return {};
  return Object.fromEntries(
    Object.entries(responses).map(([status, response]) => {
      if (!isRecord(response)) return [status, response];
      const { description = STATUS_CODES[status], content } = response;
      // Either a plain schema or a response with several media types.
      if (!isRecord(content)) return [status, { 'x-response-description': description, ...response }];
      const media = Object.entries(content).map(([type, medium]) => [type, withMediaExample(medium)]);
      return [status, { description, content: Object.fromEntries(media) }];
    }),
  );
}

/** Moves the example out of the schema, as @fastify/swagger does for a response with one media type. */
function withMediaExample(medium: unknown) {
  if (!isRecord(medium) || !isRecord(medium.schema) || !Array.isArray(medium.schema.examples)) return medium;
  const { examples, ...schema } = medium.schema;
  return { schema, example: examples[0] };
}
