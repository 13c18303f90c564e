import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AllocateIds } from '../../../ids/allocate.js';
import { messageOf } from '../../../platform/errors.js';
import { slugs } from '../../answers/problem-slugs.js';
import { idSchema } from '../../answers/schemas.js';
import { ProblemError, sendProblem } from '../../answers/send-problem.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type UsersParts = {
  identity: Identity;
  /** Kinds of ids beside `user`. */
  kinds: readonly string[];
  allocateIds: AllocateIds;
  /** Why no ids could be given out now, if so; gives none out to find that out. */
  whyNoIds: () => Promise<unknown>;
};

// Written as JSON some 80 KB, and half a millisecond of this process.
const idsPerBatchMax = 10_000;
const countMessage = 'expected a whole number from 1 to 10,000';

/** POST /api/users and its batch, for the shop's own server; the health of both, for whoever watches them. */
export function registerUsers(app: App, { identity, kinds, allocateIds, whyNoIds }: UsersParts): void {
  const { one, batch } = createSchemas(kinds);

  function requireService(request: FastifyRequest): void {
    if (identity.callerOf(request).kind !== 'service')
      throw new ProblemError('forbidden', "User ids are given to the shop's own server alone.");
  }

  app.post('/api/users', { schema: one }, async (request, reply) => {
    requireService(request);
    const allocation = await allocateIds(request.body?.kind ?? 'user', 1);
    if (allocation.outcome !== 'allocated') return sendProblem(reply, allocation.outcome);
    return reply.code(201).send({ id: allocation.first });
  });

  app.post('/api/users/batch', { schema: batch }, async (request, reply) => {
    requireService(request);
    const { kind = 'user', count } = request.body;
    const allocation = await allocateIds(kind, count);
    if (allocation.outcome !== 'allocated') return sendProblem(reply, allocation.outcome);
    const { first } = allocation;
    return reply.code(201).send({ ids: Array.from({ length: count }, (_, position) => first + position) });
  });

  app.get('/api/users/health', { schema: health }, async (_request, reply) => {
    const error = await whyNoIds();
    if (error !== undefined) return sendProblem(reply, 'unavailable', messageOf(error));
    return { status: 'ok' as const };
  });
}

const idProblems = slugs('not-authenticated', 'forbidden', 'overloaded');

const health = {
  operationId: 'checkUserIds',
  summary: 'Check that user ids can be allocated, without allocating any',
  callers: 'anyone',
  tags: ['operations'],
  response: { 200: withExample(z.object({ status: z.literal('ok') }), { status: 'ok' }) },
} as const;

function createSchemas(kinds: readonly string[]) {
  const kind = z
    .enum(['user', ...kinds])
    .optional()
    .meta({ description: 'Which counter to use; each kind has its own. `user` by default.' });
  return {
    one: {
      operationId: 'allocateUserId',
      summary: 'Allocate the next user id',
      callers: 'shop',
      tags: ['shop'],
      problems: idProblems,
      // A request without a body is the usual one.
      body: withExample(z.strictObject({ kind }).nullish(), { kind: 'user' }),
      response: { 201: withExample(z.object({ id: idSchema }), { id: 1 }) },
    },
    batch: {
      operationId: 'allocateUserIds',
      summary: 'Allocate a run of consecutive user ids',
      callers: 'shop',
      tags: ['shop'],
      problems: idProblems,
      body: withExample(
        z.strictObject({
          count: z.int(countMessage).min(1, countMessage).max(idsPerBatchMax, countMessage),
          kind,
        }),
        { count: 3 },
      ),
      response: { 201: withExample(z.object({ ids: z.array(idSchema) }), { ids: [2, 3, 4] }) },
    },
  } as const;
}
