import type { FastifyRequest } from 'fastify';
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
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type RehearsalsParts = {
  identity: Identity;
  pool: Pool;
  /** What runs them; why there is none otherwise. */
  rehearse: Rehearse | string;
};

// Half of what one generator and one engine do on two processors, for two minutes: it is to be seen, not to be felt for long.
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
  progress: progressSchema.nullable().meta({ description: 'Twice a second, while it runs' }),
  report: reportSchema.nullable().meta({ description: 'The verdict of the load generator' }),
  failure: z.string().nullable().meta({ description: 'Why there is no report, where it failed' }),
});

const path = '/api/admin/rehearsals';
const tags = ['operator'];

/** A load against a sale that is sold to nobody, started and watched by operators. */
export function registerRehearsals(app: App, { identity, pool, rehearse }: RehearsalsParts): void {
  const onRequest = async (request: FastifyRequest) => identity.requireOperator(request);

  const start = {
    summary: 'Rehearse: make a sale that nobody sees, and send it a crowd',
    problems: slugs('rehearsals-disabled', 'rehearsal-running'),
    tags,
    body: termsSchema,
    response: { 201: rehearsalSchema },
  };
  app.post(path, { schema: start, onRequest }, async (request, reply) => {
    if (typeof rehearse === 'string') throw new ProblemError('rehearsals-disabled', rehearse);
    const operator = identity.operators.of(request)?.name ?? '';
    const created = await rehearse.start({ ...request.body, operator });
    if (created.outcome !== 'created') throw new ProblemError(created.outcome);
    return reply.code(201).send(rehearsalView(created.rehearsal));
  });

  const list = {
    summary: 'Rehearsals, newest first',
    tags,
    querystring: z.strictObject({ limit: pageLimitSchema(100) }),
    response: {
      200: z.object({
        rehearsals: z.array(rehearsalSchema),
        disabled: z.string().nullable().meta({ description: 'Why none can be started here; null otherwise' }),
      }),
    },
  };
  app.get(path, { schema: list, onRequest }, async request => ({
    rehearsals: (await listRehearsals(pool, request.query.limit)).map(rehearsalView),
    disabled: typeof rehearse === 'string' ? rehearse : null,
  }));

  const one = {
    problems: slugs('not-found'),
    tags,
    params: z.object({ id: idParamSchema }),
    response: { 200: rehearsalSchema },
  };
  const read = { summary: 'A rehearsal, and how it goes', ...one };
  app.get(`${path}/:id`, { schema: read, onRequest }, async request =>
    viewOf(await readRehearsal(pool, request.params.id)),
  );

  const stop = { summary: 'Stop a rehearsal: nothing more is sent, and what was sent is judged', ...one };
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
