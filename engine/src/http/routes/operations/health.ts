import { z } from 'zod';
import { sendProblem } from '../../answers/send-problem.js';
import { problemSchema } from '../../server/describe-api.js';
import type { App } from '../../server/http-server.js';

export type OperationsParts = {
  /** Whether PostgreSQL takes commits. */
  isDatabaseUp: () => Promise<boolean>;
  /** Whether Redis answers; undefined where there is none. */
  isRedisUp: (() => boolean) | undefined;
  /** Why this process should get no traffic now; empty when it should. */
  unreadyReasons: () => Promise<string[]>;
};

const live = {
  summary: 'The process is alive, whatever it depends on',
  tags: ['operations'],
  response: { 200: z.object({ status: z.literal('alive'), uptimeSeconds: z.number() }) },
};

const healthStates = ['healthy', 'unhealthy'] as const;
const healthSchema = z.object({
  status: z.enum(healthStates),
  timestamp: z.iso.datetime(),
  services: z.object({ database: z.enum(healthStates), redis: z.enum(healthStates).optional() }),
});
const health = {
  summary: 'The services that the process depends on: 503 where purchases cannot go on without one',
  tags: ['operations'],
  response: { 200: healthSchema, 503: z.union([healthSchema, problemSchema]) },
};

const ready = {
  summary: 'The process can take purchases',
  tags: ['operations'],
  response: { 200: z.object({ status: z.literal('ready') }) },
};

/** What load balancers and orchestrators ask. */
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
    // Sales go on without Redis, so that it says how Redis is and stays healthy.
    const answer = { status: database, timestamp: new Date().toISOString(), services };
    return reply.code(database === 'healthy' ? 200 : 503).send(answer);
  });

  app.get('/api/ready', { schema: ready }, async (_request, reply) => {
    const reasons = await unreadyReasons();
    if (reasons.length > 0) return sendProblem(reply, 'unavailable', reasons.join('; '));
    return { status: 'ready' as const };
  });

  // Written once, and sent from the same bytes: it is large, and whoever asks a thousand times costs no thousand copies.
  let description: Buffer | null = null;
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    description ??= Buffer.from(JSON.stringify(app.swagger()));
    return reply.type('application/json; charset=utf-8').send(description);
  });
}

function stateOf(isUp: boolean): (typeof healthStates)[number] {
  return isUp ? 'healthy' : 'unhealthy';
}
