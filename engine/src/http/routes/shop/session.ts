import { z } from 'zod';
import type { AllocateIds } from '../../../ids/allocate.js';
import { slugs } from '../../answers/problem-slugs.js';
import { idSchema } from '../../answers/schemas.js';
import { ProblemError, sendProblem } from '../../answers/send-problem.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type SessionParts = {
  identity: Identity;
  allocateIds: AllocateIds;
};

const schema = {
  summary: 'Become a demo shopper: a fresh user id, as a cookie and as a bearer token',
  problems: slugs('forbidden-origin', 'not-found', 'overloaded'),
  tags: ['shop'],
  response: {
    201: z.object({
      userId: idSchema,
      token: z.string(),
      csrfToken: z
        .string()
        .meta({ description: 'X-CSRF-Token for clients that show the cookie, but no origin' }),
      expiresAt: z.iso.datetime(),
    }),
  },
};

/** POST /api/session: there only with the demo identity. */
export function registerSession(app: App, { identity, allocateIds }: SessionParts): void {
  const { demoSessions } = identity;
  app.post('/api/session', { schema }, async (request, reply) => {
    if (!demoSessions) throw new ProblemError('not-found', 'Sessions exist with the demo identity alone.');
    demoSessions.checkOrigin(request);
    const allocation = await allocateIds('user', 1);
    if (allocation.outcome !== 'allocated') return sendProblem(reply, allocation.outcome);
    const userId = allocation.first;
    const { token, csrfToken, expiresAt, cookies } = demoSessions.issue(request, userId);
    reply.code(201).header('set-cookie', cookies);
    return reply.send({ userId, token, csrfToken, expiresAt: expiresAt.toISOString() });
  });
}
