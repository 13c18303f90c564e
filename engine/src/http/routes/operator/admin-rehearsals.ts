import { z } from 'zod';
import type { Pool } from '../../../platform/postgres.js';
import {
  listRehearsals,
  type Rehearsal,
  readRehearsal,
  stopRehearsal,
} from '../../../rehearsals/rehearsal.js';
import type { Rehearse } from '../../../rehearsals/rehearse.js';
import { progressSchema, reportSchema } from '../../../rehearsals/report.js';
import { slugs } from '../../answers/problem-slugs.js';
import { idParamSchema, idSchema, pageLimitSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type RehearsalsParts = {
  identity: Identity;
  pool: Pool;
  /** Runs rehearsals; a string says why this process cannot. */
  rehearse: Rehearse | string;
};

// Half of what one generator and one engine reach on two processors, for two minutes: long enough to watch, short
// enough not to disturb the shop for long.
const termsSchema = z.strictObject({
  allocation: z.int().min(1).max(100_000),
  shoppers: z.int().min(1).max(1_000_000),
  ratePerSecond: z.int().min(1).max(10_000),
  seconds: z.int().min(1).max(120),
});

const rehearsalSchema = z.object({
  id: idSchema,
  ...termsSchema.shape,
  operator: z.string(),
  status: z.enum(['running', 'ended', 'stopped', 'failed']),
  productId: idSchema.nullable(),
  saleId: idSchema.nullable(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  progress: progressSchema
    .nullable()
    .meta({ description: 'Updated twice a second while the rehearsal runs' }),
  report: reportSchema.nullable().meta({ description: "The load generator's report and verdict" }),
  failure: z.string().nullable().meta({ description: 'Why the rehearsal failed and has no report' }),
});

const termsExample = { allocation: 10, shoppers: 20, ratePerSecond: 40, seconds: 1 };

const startedExample = {
  id: 1,
  ...termsExample,
  operator: 'operator',
  status: 'running',
  productId: 1,
  saleId: 1,
  startedAt: '2026-11-20T12:00:00.000Z',
  endedAt: null,
  progress: null,
  report: null,
  failure: null,
} as const satisfies z.input<typeof rehearsalSchema>;

const outcomesExample = [
  { status: 200, slug: 'confirmed', count: 10 },
  { status: 409, slug: 'sold-out', count: 30 },
];

const endedExample = {
  ...startedExample,
  status: 'ended',
  endedAt: '2026-11-20T12:00:02.000Z',
  progress: { elapsedMs: 502.8, requests: 20, p99Ms: 9.7, outcomes: outcomesExample },
  report: {
    elapsedMs: 990.1,
    interrupted: false,
    throughput: { requests: 40, requestsPerSecond: 40.4, confirmed: 10 },
    latencyMs: { corrected: { p50: 1.8, p95: 4.2, p99: 9.7, max: 11.3 } },
    outcomes: outcomesExample,
    damage: { lost: 0, altered: 0, duplicated: 0, oversold: 0 },
    verdict: { result: 'pass', checks: [{ name: 'confirmed', ok: true, detail: '10 of 10 expected' }] },
  },
} satisfies z.input<typeof rehearsalSchema>;

const path = '/api/admin/rehearsals';
const tags = ['operator'];

const start = {
  operationId: 'startRehearsal',
  summary: 'Start a rehearsal: a load test against a hidden sale',
  problems: slugs('rehearsals-disabled', 'rehearsal-running'),
  callers: 'operators',
  tags,
  body: withExample(termsSchema, termsExample),
  response: { 201: withExample(rehearsalSchema, startedExample) },
} as const;

const list = {
  operationId: 'listRehearsals',
  summary: 'List rehearsals, newest first',
  callers: 'operators',
  tags,
  querystring: z.strictObject({ limit: pageLimitSchema(100) }),
  response: {
    200: withExample(
      z.object({
        rehearsals: z.array(rehearsalSchema),
        disabled: z
          .string()
          .nullable()
          .meta({ description: 'Why this process cannot start one; null if it can' }),
      }),
      { rehearsals: [startedExample], disabled: null },
    ),
  },
} as const;

const one = {
  problems: slugs('not-found'),
  callers: 'operators',
  tags,
  params: z.object({ id: idParamSchema }),
  response: { 200: withExample(rehearsalSchema, endedExample) },
} as const;

const read = {
  operationId: 'getRehearsal',
  summary: 'Get a rehearsal with its progress or report',
  ...one,
};

const stop = {
  operationId: 'stopRehearsal',
  summary: 'Stop a rehearsal early',
  description: 'No more requests are sent, and the report judges those that were.',
  ...one,
};

/** Load tests against a sale that no shopper sees, started and watched by operators. */
export function registerRehearsals(app: App, { identity, pool, rehearse }: RehearsalsParts): void {
  const onRequest = identity.requireOperator;

  app.post(path, { schema: start, onRequest }, async (request, reply) => {
    if (typeof rehearse === 'string') throw new ProblemError('rehearsals-disabled', rehearse);
    const operator = identity.operators.of(request)?.name ?? '';
    const created = await rehearse.start({ ...request.body, operator });
    if (created.outcome !== 'created') throw new ProblemError(created.outcome);
    return reply.code(201).send(rehearsalView(created.rehearsal));
  });

  app.get(path, { schema: list, onRequest }, async request => ({
    rehearsals: (await listRehearsals(pool, request.query.limit)).map(rehearsalView),
    disabled: typeof rehearse === 'string' ? rehearse : null,
  }));

  app.get(`${path}/:id`, { schema: read, onRequest }, async request =>
    viewOf(await readRehearsal(pool, request.params.id)),
  );

  app.delete(`${path}/:id`, { schema: stop, onRequest }, async request =>
    viewOf(await stopRehearsal(pool, request.params.id)),
  );
}

function viewOf(rehearsal: Rehearsal | undefined) {
  if (!rehearsal) throw new ProblemError('not-found', 'This rehearsal does not exist.');
  return rehearsalView(rehearsal);
}

function rehearsalView({ rehearsalId: id, startedAt, endedAt, ...rest }: Rehearsal) {
  return {
    id,
    ...rest,
    startedAt: startedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  };
}
