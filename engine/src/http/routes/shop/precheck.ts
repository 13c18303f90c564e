import { z } from 'zod';
import type { AskGate } from '../../../admission/gate/ask-gate.js';
import type { Calendar } from '../../../catalog/calendar.js';
import { problems, slugs } from '../../answers/problem-slugs.js';
import { headerUserIdSchema, idParamSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { withExample } from '../../description/with-example.js';
import { type Identity, shopperOf } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type PrecheckParts = { identity: Identity; calendar: Calendar; askGate: AskGate };

const schema = {
  operationId: 'precheck',
  summary: 'Ask whether a purchase would be admitted right now',
  description: 'Advice from memory, for one unit. Only the purchase itself decides.',
  callers: 'shoppers',
  problems: slugs('not-authenticated', 'product-not-found'),
  tags: ['shop'],
  headers: z.object({ 'x-user-id': headerUserIdSchema.optional() }),
  querystring: z.strictObject({ productId: idParamSchema }),
  response: {
    200: withExample(
      z.object({
        admitted: z.boolean(),
        reason: z.enum(['sale-not-open', 'limit-reached', 'sold-out']).nullable(),
        message: z.string(),
      }),
      { admitted: true, reason: null, message: 'You can buy now.' },
    ),
  },
} as const;

/** GET /api/precheck: what the gate says about one unit of the product for this shopper. */
export function registerPrecheck(app: App, { identity, calendar, askGate }: PrecheckParts): void {
  app.get('/api/precheck', { schema }, async request => {
    const shopperId = shopperOf(identity.callerOf(request), request);
    const offer = await calendar.offerOf(request.query.productId);
    if (!offer) throw new ProblemError('product-not-found');
    const reason = offer.sale ? ((await askGate(offer.sale, shopperId, 1, false)) ?? null) : 'sale-not-open';
    const message = reason === null ? 'You can buy now.' : problems[reason].message;
    return { admitted: reason === null, reason, message };
  });
}
