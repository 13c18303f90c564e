import { z } from 'zod';

/** The parts of JSON Schema used in the API's description. */
export const schemaSchema = z.looseObject({
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  items: z.unknown().optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  minLength: z.int().optional(),
  maxLength: z.int().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
});
export type Schema = z.infer<typeof schemaSchema>;

const parameterSchema = z.looseObject({
  name: z.string(),
  in: z.enum(['path', 'query', 'header', 'cookie']),
  required: z.boolean().optional(),
  schema: schemaSchema,
});
const contentSchema = z.record(z.string(), z.looseObject({ schema: z.record(z.string(), z.unknown()) }));
const operationSchema = z.looseObject({
  tags: z.array(z.string()).default([]),
  parameters: z.array(parameterSchema).default([]),
  requestBody: z.looseObject({ content: contentSchema }).optional(),
  responses: z.record(z.string(), z.unknown()),
});
const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
});

/** One call of the API's description. */
export type Operation = {
  method: string;
  path: string;
  isOperators: boolean;
  parameters: z.infer<typeof parameterSchema>[];
  body: Schema | undefined;
  /** Whether a body matches the schema. */
  accepts(body: unknown): boolean;
  /** The documented statuses. */
  statuses: ReadonlySet<number>;
};

/** Every call of an /openapi.json, by method and path. */
export function operationsOf(document: unknown): Operation[] {
  const { paths } = documentSchema.parse(document);
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { tags, parameters, requestBody, responses }]) => {
      const body = requestBody?.content['application/json']?.schema;
      const judge = body && z.fromJSONSchema(body);
      return {
        method: method.toUpperCase(),
        path,
        isOperators: tags.includes('operator'),
        parameters,
        body: body && schemaSchema.parse(body),
        accepts: value => judge === undefined || judge.safeParse(value).success,
        statuses: new Set(Object.keys(responses).map(Number)),
      };
    }),
  );
}
