import { z } from 'zod';
import type { AllocateIds } from '../../ids/allocate.js';
import { type Identity, sessionCookie } from '../identity.js';
import { ProblemError, sendProblem, slugs } from '../problem.js';
import { idSchema } from '../schemas.js';
import type { App } from '../server.js';

export type SessionParts = {
  identity: Identity;
  allocateIds: AllocateIds;
};

const schema = {
  summary: 'Become a demo shopper: a fresh user id, as a cookie and as a bearer token',
  problems: slugs('not-found', 'overloaded'),
  tags: ['shop'],
  response: { 201: z.object({ userId: idSchema, token: z.string() }) },
};

/** POST /api/session: there only with the demo identity. */
export function registerSession(app: App, { identity, allocateIds }: SessionParts): void {
  app.post('/api/session', { schema }, async (_request, reply) => {
    if (!identity.issueSession)
      throw new ProblemError('not-found', 'Sessions exist with the demo identity alone.');
    const allocation = await allocateIds('user', 1);
    if (allocation.outcome !== 'allocated') return sendProblem(reply, allocation.outcome);
    const userId = allocation.first;
    const token = identity.issueSession(userId);
    reply.header('set-cookie', `${sessionCookie}=${token}; Path=/; HttpOnly; SameSite=Lax`);
    return reply.code(201).send({ userId, token });
  });
}
