import type { FastifyDynamicSwaggerOptions, SwaggerTransformObject } from '@fastify/swagger';
import { jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { isSlug, type ProblemSlug, problems } from '../answers/problem-slugs.js';
import { problemBody } from '../answers/send-problem.js';
import { describeRoute } from './describe-route.js';
import { isRecord } from './is-record.js';
import { securitySchemes } from './security-schemes.js';

/** Problems that belong to no documented operation: one is for unknown calls, the other for a defect of the engine. */
const ofNoOperation: ReadonlySet<ProblemSlug> = new Set(['method-not-allowed', 'internal'] as const);

/** The parts of /openapi.json besides its operations, and the transforms that add those. */
export const apiDocument = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Doorbuster',
      version: '0.1.0',
      description:
        'A flash-sale engine. PostgreSQL decides each purchase exactly once, and the answer comes after COMMIT. Every refusal is an RFC 9457 problem whose `type` ends in a stable slug.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The engine that serves this document' }],
    tags: [
      {
        name: 'shop',
        description:
          "Browse drops, buy in three ways, and follow orders. Called by shoppers, and by the shop's server on their behalf.",
      },
      {
        name: 'operator',
        description: 'Run sales, watch them, read orders and revenue, and repair what failed.',
      },
      {
        name: 'operations',
        description: 'Probes for load balancers and orchestrators, and the webhook of the payment provider.',
      },
    ],
    components: {
      securitySchemes,
      examples: Object.fromEntries(
        Object.keys(problems)
          .filter(isSlug)
          .filter(slug => !ofNoOperation.has(slug))
          .map(slug => [slug, { summary: problems[slug].title, value: problemBody(slug) }]),
      ),
    },
  },
  transform: describeRoute,
  transformObject: finish,
} satisfies FastifyDynamicSwaggerOptions;

/** Corrects two libraries: one marks every body as required, and the other also describes an answer as an input. */
function finish(input: Parameters<SwaggerTransformObject>[0]): ReturnType<SwaggerTransformObject> {
  const document = jsonSchemaTransformObject(input);
  if (!('components' in document)) return document;
  for (const path of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(path ?? {})) relaxBody(operation);
  }
  delete document.components?.schemas?.ProblemInput;
  return document;
}

/** Marks a body that may be null as optional. */
function relaxBody(operation: unknown): void {
  if (!isRecord(operation) || !isRecord(operation.requestBody)) return;
  const { requestBody } = operation;
  const json = isRecord(requestBody.content) ? requestBody.content['application/json'] : undefined;
  const anyOf = isRecord(json) && isRecord(json.schema) ? json.schema.anyOf : undefined;
  const mayBeNull = Array.isArray(anyOf) && anyOf.some(choice => isRecord(choice) && choice.type === 'null');
  if (mayBeNull) requestBody.required = false;
}
