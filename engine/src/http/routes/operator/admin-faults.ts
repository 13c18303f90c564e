import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { FaultBroadcast } from '../../../faults/fault-broadcast.js';
import { type Faults, faultPlaceSchema, faultSchema } from '../../../faults/faults.js';
import { slugs } from '../../answers/problem-slugs.js';
import { ProblemError } from '../../answers/send-problem.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type FaultsParts = { identity: Identity; faults: Faults; faultBroadcast: FaultBroadcast };

const path = '/api/admin/faults';
const tags = ['operator'];

const set = {
  summary: 'Set a fault in every process, for a time',
  problems: slugs('faults-disabled', 'too-many-faults'),
  tags,
  body: faultSchema,
  response: { 201: faultSchema },
};
const list = {
  summary: 'The faults that are set in this process',
  problems: slugs('faults-disabled'),
  tags,
  response: {
    200: z.object({
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
  },
};
const clear = {
  summary: 'End the faults of a place, or all',
  problems: slugs('faults-disabled'),
  tags,
  querystring: z.strictObject({ place: faultPlaceSchema.optional() }),
  response: { 204: z.null() },
};

/** Faults on demand, for drills; refused unless FAULTS_ENABLED. */
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
