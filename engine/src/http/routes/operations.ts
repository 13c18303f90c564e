import { z } from 'zod';
import { sendProblem } from '../problem.js';
import type { App } from '../server.js';

export type OperationsParts = {
  /** Why this process should get no traffic now; empty when it should. */
  unreadyReasons: () => Promise<string[]>;
};

const health = {
  summary: 'The process is alive',
  tags: ['operations'],
  response: { 200: z.object({ status: z.literal('ok'), uptimeSeconds: z.number() }) },
};
const ready = {
  summary: 'The process can take purchases',
  tags: ['operations'],
  response: { 200: z.object({ status: z.literal('ready') }) },
};

/** What load balancers and orchestrators ask. */
export function registerOperations(app: App, { unreadyReasons }: OperationsParts): void {
  app.get('/api/health', { schema: health }, async () => ({
    status: 'ok' as const,
    uptimeSeconds: Math.round(process.uptime()),
  }));

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
