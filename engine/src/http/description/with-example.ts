import type { z } from 'zod';

/**
 * Gives a body or an answer the example that /openapi.json shows. examples.test.ts sends each example of a body and
 * compares the answer with its example, so that none of them goes stale.
 */
export function withExample<Schema extends z.ZodType>(schema: Schema, example: z.input<Schema>): Schema {
  return schema.meta({ examples: [example] });
}
