import { z } from 'zod';
import type { AllocateUserId } from '../../ids/allocate.js';
import { type Identity, sessionCookie } from '../identity.js';
import { ProblemError, slugs } from '../problem.js';
import { idSchema } from '../schemas.js';
import type { App } from '../server.js';

export type SessionParts = {
  identity: Identity;
  allocateUserId: AllocateUserId;
};

const schema = {
  summary: 'Become a demo shopper: a fresh user id, as a cookie and as a bearer token',
  problems: slugs('not-found'),
  tags: ['shop'],
  response: { 201: z.object({ userId: idSchema, token: z.string() }) },
};

/** POST /api/session: there only with the demo identity. */
export function registerSession(app: App, { identity, allocateUserId }: SessionParts): void {
  app.post('/api/session', { schema }, async (_request, reply) => {
    if (!identity.issueSession)
      throw new ProblemError('not-found', 'Sessions exist with the demo identity alone.');
    const userId = await allocateUserId();
    const token = identity.issueSession(userId);
    reply.header('set-cookie', `${sessionCookie}=${token}; Path=/; HttpOnly; SameSite=Lax`);
    return reply.code(201).send({ userId, token });
  });
}
