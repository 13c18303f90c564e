import { z } from 'zod';
import { sendProblem } from '../../answers/send-problem.js';
import { problemSchema } from '../../description/describe-route.js';
import { withExample } from '../../description/with-example.js';
import type { App } from '../../server/http-server.js';

export type OperationsParts = {
  /** Whether PostgreSQL accepts commits. */
  isDatabaseUp: () => Promise<boolean>;
  /** Whether Redis answers; undefined without Redis. */
  isRedisUp: (() => boolean) | undefined;
  /** Why this process should get no traffic now; empty if it should. */
  unreadyReasons: () => Promise<string[]>;
};

const live = {
  operationId: 'getLiveness',
  summary: 'Check that the process is alive, whatever the state of its dependencies',
  callers: 'anyone',
  tags: ['operations'],
  response: {
    200: withExample(z.object({ status: z.literal('alive'), uptimeSeconds: z.number() }), {
      status: 'alive',
      uptimeSeconds: 3600,
    }),
  },
} as const;

const healthStates = ['healthy', 'unhealthy'] as const;
const healthSchema = z.object({
  status: z.enum(healthStates),
  timestamp: z.iso.datetime(),
  services: z.object({ database: z.enum(healthStates), redis: z.enum(healthStates).optional() }),
});
const health = {
  operationId: 'getHealth',
  summary: 'Get the health of PostgreSQL and Redis',
  description: '503 while PostgreSQL accepts no commits. Sales continue without Redis.',
  callers: 'anyone',
  tags: ['operations'],
  response: {
    200: withExample(healthSchema, {
      status: 'healthy',
      timestamp: '2026-11-20T12:00:00.000Z',
      services: { database: 'healthy' },
    }),
    503: withExample(z.union([healthSchema, problemSchema]), {
      status: 'unhealthy',
      timestamp: '2026-11-20T12:00:00.000Z',
      services: { database: 'unhealthy' },
    }),
  },
} as const;

const ready = {
  operationId: 'getReadiness',
  summary: 'Check that the process can take purchases',
  callers: 'anyone',
  tags: ['operations'],
  response: { 200: withExample(z.object({ status: z.literal('ready') }), { status: 'ready' }) },
} as const;

/** The calls of load balancers and orchestrators. */
export function registerOperations(
  app: App,
  { isDatabaseUp, isRedisUp, unreadyReasons }: OperationsParts,
): void {
  app.get('/api/live', { schema: live }, async () => ({
    status: 'alive' as const,
    uptimeSeconds: Math.round(process.uptime()),
  }));

  app.get('/api/health', { schema: health }, async (_request, reply) => {
    const database = stateOf(await isDatabaseUp());
    const services = { database, ...(isRedisUp && { redis: stateOf(isRedisUp()) }) };
    // Sales continue without Redis, so this reports the state of Redis and stays healthy.
    const answer = { status: database, timestamp: new Date().toISOString(), services };
    return reply.code(database === 'healthy' ? 200 : 503).send(answer);
  });

  app.get('/api/ready', { schema: ready }, async (_request, reply) => {
    const reasons = await unreadyReasons();
    if (reasons.length > 0) return sendProblem(reply, 'unavailable', reasons.join('; '));
    return { status: 'ready' as const };
  });

  // Serialised once and always sent from the same buffer: it is large, and a thousand requests must not cost a thousand
  // copies.
  let description: Buffer | null = null;
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    description ??= Buffer.from(JSON.stringify(app.swagger()));
    return reply.type('application/json; charset=utf-8').send(description);
  });
}

function stateOf(isUp: boolean): (typeof healthStates)[number] {
  return isUp ? 'healthy' : 'unhealthy';
}
