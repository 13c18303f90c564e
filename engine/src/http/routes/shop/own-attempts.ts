import { z } from 'zod';
import { listAttempts } from '../../../ledger/list-attempts.js';
import type { DatabaseClock } from '../../../platform/database-clock.js';
import type { Pool } from '../../../platform/postgres.js';
import { slugs } from '../../answers/problem-slugs.js';
import { headerUserIdSchema, idParamSchema } from '../../answers/schemas.js';
import {
  attemptExample,
  attemptLimitSchema,
  attemptSchema,
  attemptView,
} from '../../buying/attempt-views.js';
import { withExample } from '../../description/with-example.js';
import { type Identity, shopperOf } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type OwnAttemptsParts = { identity: Identity; pool: Pool; clock: DatabaseClock };

// Shoppers ask about today's sale. Each day is one more partition to plan for, and all shoppers who got nothing ask at
// the same time.
const shopperWindowMs = 7 * 86_400_000;

const mine = {
  operationId: 'listAttempts',
  summary: 'List your attempts to buy of the last seven days, newest first',
  description: 'Each attempt has its outcome and the reason for it.',
  callers: 'shoppers',
  problems: slugs('not-authenticated'),
  tags: ['shop'],
  headers: z.object({ 'x-user-id': headerUserIdSchema.optional() }),
  querystring: z.strictObject({ productId: idParamSchema.optional(), limit: attemptLimitSchema }),
  response: {
    200: withExample(z.object({ attempts: z.array(attemptSchema) }), { attempts: [attemptExample] }),
  },
} as const;

/** "Why not me?": a shopper's own attempts. */
export function registerOwnAttempts(app: App, { identity, pool, clock }: OwnAttemptsParts): void {
  app.get('/api/attempts', { schema: mine }, async request => {
    const shopperId = shopperOf(identity.callerOf(request), request);
    const { productId, limit } = request.query;
    const from = new Date(clock.nowMs() - shopperWindowMs);
    const { attempts } = await listAttempts(pool, { shopperId, productId, from }, { limit, isAnswer: true });
    return { attempts: attempts.map(attemptView) };
  });
}
