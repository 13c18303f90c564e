import { STATUS_CODES } from 'node:http';
import type { SwaggerTransform } from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { orderStatuses } from '../../ledger/order-record.js';
import { type ProblemSlug, problems } from '../answers/problem-slugs.js';
import { classOf } from '../limits/route-class.js';

declare module 'fastify' {
  interface FastifySchema {
    /** What this call refuses, besides what every call of its kind does. docs/outcomes.md says which slug comes when. */
    problems?: readonly ProblemSlug[];
  }
}

export const problemSchema = z
  .object({
    type: z
      .enum(Object.keys(problems).map(slug => `/problems/${slug}`))
      .meta({ description: 'Ends in a stable slug; there may be more of them in a later version' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    success: z.literal(false),
    message: z.string(),
    orderId: z.uuid().optional().meta({ description: 'The order that this is about' }),
    orderStatus: z.enum(orderStatuses).optional(),
    reason: z.string().nullable().optional().meta({ description: 'Why that order is what it is' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem' });

const ofEveryCall: readonly ProblemSlug[] = [
  'invalid',
  'request-timeout',
  'headers-too-large',
  'unavailable',
];
// Of the layers of protection, which some routes are free of.
const ofLayers: readonly ProblemSlug[] = ['rate-limited', 'overloaded'];
const ofCallsWithABody: readonly ProblemSlug[] = ['too-large', 'unsupported-media-type'];
const ofOperators: readonly ProblemSlug[] = ['not-authenticated', 'forbidden', 'locked-out'];
const ofActionsByCookie: readonly ProblemSlug[] = ['forbidden-origin', 'csrf'];

/** Documents each refusal of a route by its exact status, from its `problems`, its method and its tag. */
export const describeRoute: SwaggerTransform<FastifySchema & { hide?: boolean }> = input => {
  const { problems: own = [], tags, response, ...schema } = input.schema;
  const mayHaveBody = [input.route.method].flat().some(method => method !== 'GET' && method !== 'HEAD');
  const ofCaller = [...(tags?.includes('operator') ? ofOperators : []), ...own];
  const mayBeForged =
    mayHaveBody && tags?.some(tag => tag !== 'operations') && ofCaller.includes('not-authenticated');
  const slugs = [
    ...ofEveryCall,
    ...(classOf(input.route) === 'free' ? [] : ofLayers),
    ...(mayHaveBody ? ofCallsWithABody : []),
    ...(mayBeForged ? ofActionsByCookie : []),
    ...ofCaller,
  ];
  const answers = { ...refusalsOf(slugs), ...(typeof response === 'object' ? response : {}) };
  return jsonSchemaTransform({ ...input, schema: { ...schema, ...(tags && { tags }), response: answers } });
};

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
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  );
}
