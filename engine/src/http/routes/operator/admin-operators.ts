import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { addOperatorAction, listOperatorActions, type OperatorAction } from '../../../operators/actions.js';
import type { OperatorSession } from '../../../operators/sessions.js';
import { operatorNamePattern } from '../../../platform/config/settings/identity-settings.js';
import type { Pool } from '../../../platform/postgres.js';
import { problems, slugs } from '../../answers/problem-slugs.js';
import { idParamSchema, pageLimitSchema, textSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import { describeAction, signInPath } from '../../identity/operator-trail.js';
import type { App } from '../../server/http-server.js';

export type OperatorsParts = { identity: Identity; pool: Pool };

const tags = ['operator'];

const sessionSchema = z.object({
  id: z.uuid(),
  operator: z.string(),
  ip: z.string(),
  userAgent: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});

const sessionExample = {
  id: '3f8e2c1a-5b7d-4e9f-8a6c-0d1b2e3f4a5c',
  operator: 'operator',
  ip: '127.0.0.1',
  userAgent: 'Mozilla/5.0',
  createdAt: '2026-11-20T08:00:00.000Z',
  expiresAt: '2026-11-20T20:00:00.000Z',
} satisfies z.input<typeof sessionSchema>;

const csrfTokenSchema = z
  .string()
  .meta({ description: 'Sent as X-CSRF-Token by clients that use the cookie but send no Origin' });

const csrfTokenExample = 'Qm9yZGVyIGNvbGxpZSBzbGVlcHMgb24gdGhlIHNvZmE';

const signIn = {
  operationId: 'signIn',
  summary: 'Sign in as an operator, and get a session cookie',
  callers: 'anyone',
  tags,
  body: withExample(
    z.strictObject({
      operator: z.string().regex(operatorNamePattern, 'expected a name').default('operator'),
      secret: textSchema(1, 1000),
    }),
    { operator: 'operator', secret: 'correct-horse-battery-staple' },
  ),
  response: {
    201: withExample(z.object({ session: sessionSchema, csrfToken: csrfTokenSchema }), {
      session: sessionExample,
      csrfToken: csrfTokenExample,
    }),
  },
} as const;

const whoAmI = {
  operationId: 'whoAmI',
  summary: 'Get your own name and session',
  description: '`session` and `csrfToken` are null for a caller that presents the secret itself.',
  callers: 'operators',
  tags,
  response: {
    200: withExample(
      z.object({
        operator: z.string(),
        session: sessionSchema.nullable(),
        csrfToken: csrfTokenSchema.nullable(),
      }),
      { operator: 'operator', session: sessionExample, csrfToken: csrfTokenExample },
    ),
  },
} as const;

const signOut = {
  operationId: 'signOut',
  summary: 'Sign out and end the session',
  problems: slugs('session-not-found'),
  callers: 'operators',
  tags,
  response: { 204: z.null() },
} as const;

const listSessions = {
  operationId: 'listSessions',
  summary: "List the operators' active sessions, newest first",
  callers: 'operators',
  tags,
  querystring: z.strictObject({ limit: pageLimitSchema(1000) }),
  response: {
    200: withExample(z.object({ sessions: z.array(sessionSchema) }), { sessions: [sessionExample] }),
  },
} as const;

const revoke = {
  operationId: 'revokeSession',
  summary: 'Revoke a session',
  description: 'This process refuses it at once, and the others within a second.',
  problems: slugs('session-not-found'),
  callers: 'operators',
  tags,
  params: z.object({ id: z.uuid('expected the id of a session') }),
  response: { 204: z.null() },
} as const;

const actionSchema = z.object({
  id: z.int(),
  at: z.iso.datetime(),
  operator: z.string(),
  sessionId: z.uuid().nullable(),
  action: z.string(),
  target: z.string(),
  detail: z.string().nullable().meta({ description: 'The request body as JSON, without secrets' }),
  ip: z.string(),
  requestId: z.string(),
  status: z.int().nullable().meta({ description: 'null if the process died before it answered' }),
  outcome: z.string().nullable().meta({ description: '`ok`, or the slug of the refusal' }),
});

const listActions = {
  operationId: 'listActions',
  summary: 'List what operators did, newest first',
  callers: 'operators',
  tags,
  querystring: z.strictObject({ before: idParamSchema.optional(), limit: pageLimitSchema(1000) }),
  response: {
    200: withExample(z.object({ actions: z.array(actionSchema), next: z.int().nullable() }), {
      actions: [
        {
          id: 6,
          at: '2026-11-20T12:00:00.000Z',
          operator: 'operator',
          sessionId: null,
          action: 'POST /api/admin/webhooks/:id/rotate',
          target: '/api/admin/webhooks/1/rotate',
          detail: '{"overlapSeconds":3600}',
          ip: '127.0.0.1',
          requestId: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
          status: 200,
          outcome: 'ok',
        },
      ],
      next: 6,
    }),
  },
} as const;

/** Operators' sessions, and the trail of what operators did. */
export function registerOperators(app: App, { identity, pool }: OperatorsParts): void {
  const onRequest = identity.requireOperator;

  registerOwnSession(app, { identity, pool }, onRequest);

  const { operators } = identity;
  app.get('/api/admin/sessions', { schema: listSessions, onRequest }, async request => ({
    sessions: (await operators.sessions.list(request.query.limit)).map(sessionView),
  }));

  app.delete('/api/admin/sessions/:id', { schema: revoke, onRequest }, async (request, reply) => {
    const by = operators.of(request)?.name ?? '';
    const isKnown = await operators.sessions.revoke(request.params.id.toLowerCase(), by);
    if (!isKnown) throw new ProblemError('session-not-found');
    return reply.code(204).send(null);
  });

  app.get('/api/admin/actions', { schema: listActions, onRequest }, async request => {
    const { before, limit } = request.query;
    const actions = await listOperatorActions(pool, { before, limit });
    const next = actions.length === limit ? (actions.at(-1)?.actionId ?? null) : null;
    return { actions: actions.map(actionView), next };
  });
}

function registerOwnSession(
  app: App,
  { identity: { operators }, pool }: OperatorsParts,
  onRequest: (request: FastifyRequest) => Promise<void>,
): void {
  app.post(signInPath, { schema: signIn }, async (request, reply) => {
    operators.checkOrigin(request);
    const { operator, secret } = request.body;
    const description = { operator, ...describeAction(request, reply) };
    try {
      const { session, csrfToken, cookies } = await operators.signIn(request, operator, secret);
      const end = { status: 201, outcome: 'ok' };
      await addOperatorAction(pool, { ...description, sessionId: session.sessionId }, end);
      reply.code(201).header('set-cookie', cookies);
      return await reply.send({ session: sessionView(session), csrfToken });
    } catch (error) {
      // A wrong secret is recorded. Attempts during a lock-out are not, because they could fill the disk.
      if (error instanceof ProblemError && error.slug === 'not-authenticated') {
        const end = { status: problems[error.slug].status, outcome: error.slug };
        await addOperatorAction(pool, { ...description, sessionId: null }, end);
      }
      throw error;
    }
  });

  app.get(signInPath, { schema: whoAmI, onRequest }, async request => {
    const { name = '', session } = operators.of(request) ?? {};
    return {
      operator: name,
      session: session ? sessionView(session) : null,
      csrfToken: operators.csrfTokenOf(request),
    };
  });

  app.delete(signInPath, { schema: signOut, onRequest }, async (request, reply) => {
    const { name = '', session } = operators.of(request) ?? {};
    if (!session) throw new ProblemError('session-not-found', 'There is no session to sign out of.');
    await operators.sessions.revoke(session.sessionId, name);
    return reply.code(204).header('set-cookie', operators.signedOutCookies(request)).send(null);
  });
}

function sessionView({ sessionId, createdAt, endsAt, operator, ip, userAgent }: OperatorSession) {
  return {
    id: sessionId,
    operator,
    ip,
    userAgent,
    createdAt: createdAt.toISOString(),
    expiresAt: endsAt.toISOString(),
  };
}

function actionView({ actionId, at, ...action }: OperatorAction) {
  return { id: actionId, ...action, at: at.toISOString() };
}
