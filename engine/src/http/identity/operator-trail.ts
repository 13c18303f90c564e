import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';

import { addOperatorAction, endOperatorAction, type NewOperatorAction } from '../../operators/actions.js';
import type { Queryable } from '../../platform/postgres.js';
import { nameRequest } from '../answers/request-id.js';
import { isSafe } from './cross-site.js';
import type { Identity } from './identity.js';

export type OperatorTrailOptions = {
  db: Queryable;
  identity: Identity;
  onError: (error: unknown) => void;
};

/** The path of the sign-in, which records its own attempts: no operator is known yet. */
export const signInPath = '/api/admin/session';

/**
 * Records every unsafe call under /api/admin before it is carried out, and its outcome before it is answered. A call
 * that cannot be recorded is not carried out. This hooks into all routes that are registered after it, so that none is
 * forgotten.
 */
export function keepOperatorTrail(
  server: FastifyInstance,
  { db, identity, onError }: OperatorTrailOptions,
): void {
  const underWay = new WeakMap<FastifyRequest, number>();

  async function begin(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const operator = identity.operators.of(request);
    if (!operator) throw new Error(`${request.method} ${request.url} acts without an operator`);
    const sessionId = operator.session?.sessionId ?? null;
    const action = { operator: operator.name, sessionId, ...describeAction(request, reply) };
    underWay.set(request, await addOperatorAction(db, action));
  }

  async function end(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
    const actionId = underWay.get(request);
    if (actionId === undefined) return payload;
    const { statusCode: status } = reply;
    // The action has been carried out, so the answer does not depend on this.
    await endOperatorAction(db, actionId, { status, outcome: outcomeOf(status, payload) }).catch(onError);
    return payload;
  }

  server.addHook('onRoute', route => {
    if (!isAction(route)) return;
    route.preValidation = [route.preValidation ?? [], begin].flat();
    route.onSend = [route.onSend ?? [], end].flat();
  });
}

function isAction({ url, method }: RouteOptions): boolean {
  const isUnsafe = [method].flat().some(name => !isSafe[name]);
  return isUnsafe && url.startsWith('/api/admin/') && !(url === signInPath && method === 'POST');
}

type Description = Omit<NewOperatorAction, 'operator' | 'sessionId'>;

const targetCharactersMax = 500;
const detailCharactersMax = 4000;

/** What a request is about to do, with the request id of the trail; the answer carries that id, too. */
export function describeAction(request: FastifyRequest, reply: FastifyReply): Description {
  return {
    action: `${request.method} ${request.routeOptions.url ?? ''}`,
    target: request.url.slice(0, targetCharactersMax),
    detail: detailOf(request.body),
    ip: request.ip,
    requestId: nameRequest(request, reply),
  };
}

/** `ok`, or the slug of the problem in the answer. */
function outcomeOf(status: number, payload: unknown): string {
  if (status < 400) return 'ok';
  const [, slug] = /^\{"type":"\/problems\/([a-z-]+)"/.exec(typeof payload === 'string' ? payload : '') ?? [];
  return slug ?? String(status);
}

// Only the sign-in's body has a secret; secrets that are sent elsewhere by mistake are not stored either.
function detailOf(body: unknown): string | null {
  if (body === undefined || body === null) return null;
  const isSecret = (name: string) => /secret|token|password|authorization|api.?key/i.test(name);
  try {
    const text = JSON.stringify(body, (name, value: unknown) => (isSecret(name) ? '(hidden)' : value));
    return text.slice(0, detailCharactersMax);
  } catch {
    // Ten thousand levels overflow the stack, and no route accepts them.
    return '(nested too deeply)';
  }
}
