import { z } from 'zod';

/** What the load generator reports over its IPC channel, as far as the engine uses it; see loadgen/README.md. */

const outcomesSchema = z.array(z.object({ status: z.int().nullable(), slug: z.string(), count: z.int() }));

export const progressSchema = z.object({
  elapsedMs: z.number(),
  requests: z.int(),
  p99Ms: z.number(),
  outcomes: outcomesSchema,
});

export const reportSchema = z.object({
  elapsedMs: z.number(),
  interrupted: z.boolean(),
  throughput: z.object({ requests: z.int(), requestsPerSecond: z.number(), confirmed: z.int() }),
  latencyMs: z.object({
    corrected: z.object({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() }),
  }),
  outcomes: outcomesSchema,
  damage: z
    .object({ lost: z.int(), altered: z.int(), duplicated: z.int(), oversold: z.int() })
    .nullable()
    .meta({ description: 'null if the engine could not be queried afterwards' }),
  verdict: z.object({
    result: z.enum(['pass', 'fail', 'none']),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
  }),
});

export const messageSchema = z.union([
  progressSchema.extend({ kind: z.literal('progress') }),
  z.object({ kind: z.literal('report'), report: reportSchema }),
]);

export type Progress = z.infer<typeof progressSchema>;
export type Report = z.infer<typeof reportSchema>;
