import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Proofs } from '../../../admission/proofs/proofs.js';
import { type Calendar, phaseOf } from '../../../catalog/calendar.js';
import type { DatabaseClock } from '../../../platform/database-clock.js';
import { slugs } from '../../answers/problem-slugs.js';
import { headerUserIdSchema, idParamSchema, idSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { withExample } from '../../description/with-example.js';
import { type Identity, shopperOf } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type ProofsParts = { identity: Identity; calendar: Calendar; clock: DatabaseClock; proofs: Proofs };

const ofShopper = {
  callers: 'shoppers',
  tags: ['shop'],
  headers: z.object({ 'x-user-id': headerUserIdSchema.optional() }),
  querystring: z.strictObject({ productId: idParamSchema }),
} as const;

const challengeSchema = {
  operationId: 'getChallenge',
  summary: 'Get a challenge to solve before buying',
  description: 'For a sale with a `challenge`: an ALTCHA proof of work, version 1.',
  problems: slugs('not-authenticated', 'product-not-found', 'not-found'),
  ...ofShopper,
  response: {
    200: withExample(
      z.object({
        algorithm: z.string(),
        challenge: z.string(),
        maxnumber: z.int().meta({ description: 'The largest number to try' }),
        salt: z.string(),
        signature: z.string(),
      }),
      {
        algorithm: 'SHA-256',
        challenge: 'b43e1c1bd9a0c5e8f27d7e0a1f6c0d3b9e8a7f6c5d4e3b2a1908f7e6d5c4b3a2',
        maxnumber: 1000,
        salt: '5b2c7d1e9f30a4c8?expires=1795176900',
        signature: '0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0',
      },
    ),
  },
} as const;

const tokenSchema = {
  operationId: 'getPurchaseToken',
  summary: 'Get a token to buy with, before the sale opens',
  description: 'For a sale with `requiresToken`. Tokens are available only before the sale opens.',
  problems: slugs('not-authenticated', 'product-not-found', 'not-found', 'token-too-late'),
  ...ofShopper,
  response: {
    200: withExample(z.object({ saleId: idSchema, token: z.string() }), {
      saleId: 2,
      token: 'w4nH0c1uZk3rM7sYpQx9aTtVbE2LgJd8',
    }),
  },
} as const;

/** What a shopper gets in advance and presents with a purchase, if the sale requires it. */
export function registerProofs(app: App, { identity, calendar, clock, proofs }: ProofsParts): void {
  async function asked(request: FastifyRequest, productId: number) {
    const shopperId = shopperOf(identity.callerOf(request), request);
    const offer = await calendar.offerOf(productId);
    if (!offer) throw new ProblemError('product-not-found');
    return { shopperId, sale: offer.sale };
  }

  app.get('/api/challenge', { schema: challengeSchema }, async (request, reply) => {
    const { shopperId, sale } = await asked(request, request.query.productId);
    if (!sale || sale.challenge === null) throw new ProblemError('not-found', 'The sale has no challenge.');
    const challenge = await proofs.issue(sale.saleId, shopperId, sale.challenge);
    return reply.header('cache-control', 'no-store').send(challenge);
  });

  app.get('/api/purchase-token', { schema: tokenSchema }, async (request, reply) => {
    const { shopperId, sale } = await asked(request, request.query.productId);
    if (!sale?.requiresToken) throw new ProblemError('not-found', 'The sale requires no token.');
    if (phaseOf(sale, clock.nowMs()) !== 'upcoming') throw new ProblemError('token-too-late');
    const { saleId } = sale;
    return reply
      .header('cache-control', 'no-store')
      .send({ saleId, token: proofs.tokenOf(saleId, shopperId) });
  });
}
