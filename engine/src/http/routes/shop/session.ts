import { z } from 'zod';
import type { AllocateIds } from '../../../ids/allocate.js';
import { slugs } from '../../answers/problem-slugs.js';
import { idSchema } from '../../answers/schemas.js';
import { ProblemError, sendProblem } from '../../answers/send-problem.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type SessionParts = {
  identity: Identity;
  allocateIds: AllocateIds;
};

const schema = {
  operationId: 'startSession',
  summary: 'Start a session as a new demo shopper',
  description: 'Only with `IDENTITY=demo`. The session is returned as a cookie and as a bearer token.',
  callers: 'anyone',
  problems: slugs('forbidden-origin', 'not-found', 'overloaded'),
  tags: ['shop'],
  response: {
    201: withExample(
      z.object({
        userId: idSchema,
        token: z.string(),
        csrfToken: z.string().meta({
          description: 'Sent as X-CSRF-Token by clients that use the cookie but send no Origin',
        }),
        expiresAt: z.iso.datetime(),
      }),
      {
        userId: 5,
        token: '5.1795262400000.aVlQ0m3oJt4s0zq2n8Yb7c6d5e4f3g2h1i0jKLMNOPQ',
        csrfToken: 'Qm9yZGVyIGNvbGxpZSBzbGVlcHMgb24gdGhlIHNvZmE',
        expiresAt: '2026-11-21T12:00:00.000Z',
      },
    ),
  },
} as const;

/** POST /api/session: exists only with the demo identity. */
export function registerSession(app: App, { identity, allocateIds }: SessionParts): void {
  const { demoSessions } = identity;
  app.post('/api/session', { schema }, async (request, reply) => {
    if (!demoSessions) throw new ProblemError('not-found', 'Sessions exist only with IDENTITY=demo.');
    demoSessions.checkOrigin(request);
    const allocation = await allocateIds('user', 1);
    if (allocation.outcome !== 'allocated') return sendProblem(reply, allocation.outcome);
    const userId = allocation.first;
    const { token, csrfToken, expiresAt, cookies } = demoSessions.issue(request, userId);
    reply.code(201).header('set-cookie', cookies);
    return reply.send({ userId, token, csrfToken, expiresAt: expiresAt.toISOString() });
  });
}
