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
  /** Kinds of ids besides `user`. */
  kinds: readonly string[];
  allocateIds: AllocateIds;
  /** Why ids cannot be allocated now, or undefined; allocates none to find out. */
  whyNoIds: () => Promise<unknown>;
};

// As JSON some 80 KB, which takes this process half a millisecond.
const idsPerBatchMax = 10_000;
const countMessage = 'expected a whole number from 1 to 10,000';

/** POST /api/users and its batch, for the shop's own server; and their health, for monitoring. */
export function registerUsers(app: App, { identity, kinds, allocateIds, whyNoIds }: UsersParts): void {
  const { one, batch } = createSchemas(kinds);

  function requireService(request: FastifyRequest): void {
    if (identity.callerOf(request).kind !== 'service')
      throw new ProblemError('forbidden', "Only the shop's own server can get user ids.");
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
      // Most requests have no body.
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
