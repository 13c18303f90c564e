import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { addOperatorAction, listOperatorActions, type OperatorAction } from '../../../operators/actions.js';
import type { OperatorSession } from '../../../operators/sessions.js';
import { operatorNamePattern } from '../../../platform/config/settings/identity-settings.js';
import type { Pool } from '../../../platform/postgres.js';
import { problems, slugs } from '../../answers/problem-slugs.js';
import { idParamSchema, pageLimitSchema, textSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
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

const csrfTokenSchema = z
  .string()
  .meta({ description: 'X-CSRF-Token for clients that show the cookie, but no origin' });

const signIn = {
  summary: 'Sign in: a session as a cookie',
  tags,
  body: z.strictObject({
    operator: z.string().regex(operatorNamePattern, 'expected a name').default('operator'),
    secret: textSchema(1, 1000),
  }),
  response: {
    201: z.object({ session: sessionSchema, csrfToken: csrfTokenSchema }),
  },
};

const whoAmI = {
  summary: 'Who am I; `session` is null where the secret itself is presented',
  tags,
  response: {
    200: z.object({
      operator: z.string(),
      session: sessionSchema.nullable(),
      csrfToken: csrfTokenSchema.nullable(),
    }),
  },
};

const signOut = {
  summary: 'Sign out: the session counts no more',
  problems: slugs('session-not-found'),
  tags,
  response: { 204: z.null() },
};

const listSessions = {
  summary: 'Sessions of operators that count now, newest first',
  tags,
  querystring: z.strictObject({ limit: pageLimitSchema(1000) }),
  response: { 200: z.object({ sessions: z.array(sessionSchema) }) },
};

const revoke = {
  summary: 'Revoke a session: refused here at once, and by other processes within a second',
  problems: slugs('session-not-found'),
  tags,
  params: z.object({ id: z.uuid('expected the id of a session') }),
  response: { 204: z.null() },
};

const actionSchema = z.object({
  id: z.int(),
  at: z.iso.datetime(),
  operator: z.string(),
  sessionId: z.uuid().nullable(),
  action: z.string(),
  target: z.string(),
  detail: z.string().nullable().meta({ description: 'The body as JSON, without secrets' }),
  ip: z.string(),
  requestId: z.string(),
  status: z.int().nullable().meta({ description: 'Null where the process died over it' }),
  outcome: z.string().nullable().meta({ description: 'ok, or the slug of the refusal' }),
});

const listActions = {
  summary: 'What operators did, newest first',
  tags,
  querystring: z.strictObject({ before: idParamSchema.optional(), limit: pageLimitSchema(1000) }),
  response: {
    200: z.object({ actions: z.array(actionSchema), next: z.int().nullable() }),
  },
};

/** Operators' own sessions, and the trail of what they did. */
export function registerOperators(app: App, { identity, pool }: OperatorsParts): void {
  const onRequest = async (request: FastifyRequest) => identity.requireOperator(request);

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
      // A wrong secret is kept; those who are locked out could fill the disk.
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
    ...{ id: sessionId, operator, ip, userAgent },
    ...{ createdAt: createdAt.toISOString(), expiresAt: endsAt.toISOString() },
  };
}

function actionView({ actionId, at, ...action }: OperatorAction) {
  return { id: actionId, ...action, at: at.toISOString() };
}
