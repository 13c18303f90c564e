import type { z } from 'zod';

/**
 * Gives a body or an answer the example that /openapi.json shows. examples.test.ts sends each example of a body and compares
 * what comes back with the example of the answer, so that none of them goes stale.
 */
export function withExample<Schema extends z.ZodType>(schema: Schema, example: z.input<Schema>): Schema {
  return schema.meta({ examples: [example] });
}
