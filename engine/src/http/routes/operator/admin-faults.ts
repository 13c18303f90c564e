import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { FaultBroadcast } from '../../../faults/fault-broadcast.js';
import { type Faults, faultPlaceSchema, faultSchema } from '../../../faults/faults.js';
import { slugs } from '../../answers/problem-slugs.js';
import { ProblemError } from '../../answers/send-problem.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type FaultsParts = { identity: Identity; faults: Faults; faultBroadcast: FaultBroadcast };

const path = '/api/admin/faults';
const tags = ['operator'];

const faultExample = {
  place: 'payment',
  effect: 'latency',
  latencyMs: 200,
  share: 0.5,
  forMs: 60_000,
} as const;

const set = {
  operationId: 'setFault',
  summary: 'Set a fault in every process, for a limited time',
  problems: slugs('faults-disabled', 'too-many-faults'),
  callers: 'operators',
  tags,
  body: withExample(faultSchema, faultExample),
  response: { 201: withExample(faultSchema, faultExample) },
} as const;
const list = {
  operationId: 'listFaults',
  summary: 'List the faults that are set in this process',
  problems: slugs('faults-disabled'),
  callers: 'operators',
  tags,
  response: {
    200: withExample(
      z.object({
        faults: z.array(
          z.object({
            place: faultPlaceSchema,
            effect: z.enum(['latency', 'error', 'hang']),
            latencyMs: z.int().optional(),
            share: z.number(),
            forMs: z.int(),
            remainingMs: z.int(),
          }),
        ),
      }),
      { faults: [{ ...faultExample, remainingMs: 59_998 }] },
    ),
  },
} as const;
const clear = {
  operationId: 'clearFaults',
  summary: 'End the faults at one place, or all of them',
  problems: slugs('faults-disabled'),
  callers: 'operators',
  tags,
  querystring: z.strictObject({ place: faultPlaceSchema.optional() }),
  response: { 204: z.null() },
} as const;

/** Fault injection, for drills; refused unless FAULTS_ENABLED. */
export function registerFaults(app: App, { identity, faults, faultBroadcast }: FaultsParts): void {
  const onRequest = async (request: FastifyRequest) => {
    await identity.requireOperator(request);
    if (!faults.isEnabled) throw new ProblemError('faults-disabled');
  };

  app.post(path, { schema: set, onRequest }, async (request, reply) => {
    if (!(await faultBroadcast.set(request.body))) throw new ProblemError('too-many-faults');
    return reply.code(201).send(request.body);
  });

  app.get(path, { schema: list, onRequest }, async () => ({ faults: faults.list() }));

  app.delete(path, { schema: clear, onRequest }, async (request, reply) => {
    await faultBroadcast.clear(request.query.place);
    return reply.code(204).send(null);
  });
}
