import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Proofs } from '../../../admission/proofs/proofs.js';
import { type Calendar, phaseOf } from '../../../catalog/calendar.js';
import type { DatabaseClock } from '../../../platform/database-clock.js';
import { slugs } from '../../answers/problem-slugs.js';
import { headerUserIdSchema, idParamSchema, idSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { type Identity, shopperOf } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type ProofsParts = { identity: Identity; calendar: Calendar; clock: DatabaseClock; proofs: Proofs };

const ofShopper = {
  tags: ['shop'],
  headers: z.object({ 'x-user-id': headerUserIdSchema.optional() }),
  querystring: z.strictObject({ productId: idParamSchema }),
};

const challengeSchema = {
  summary: 'A challenge to solve, for a sale that asks for one (ALTCHA, proof of work 1)',
  problems: slugs('not-authenticated', 'product-not-found', 'not-found'),
  ...ofShopper,
  response: {
    200: z.object({
      algorithm: z.string(),
      challenge: z.string(),
      maxnumber: z.int(),
      salt: z.string(),
      signature: z.string(),
    }),
  },
};

const tokenSchema = {
  summary: 'A token to buy with, for a sale that wants one; to be had until the sale opens',
  problems: slugs('not-authenticated', 'product-not-found', 'not-found', 'token-too-late'),
  ...ofShopper,
  response: { 200: z.object({ saleId: idSchema, token: z.string() }) },
};

/** What a shopper fetches to show with a purchase, where the sale asks for it. */
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
    if (!sale?.requiresToken) throw new ProblemError('not-found', 'The sale wants no token.');
    if (phaseOf(sale, clock.nowMs()) !== 'upcoming') throw new ProblemError('token-too-late');
    const { saleId } = sale;
    return reply
      .header('cache-control', 'no-store')
      .send({ saleId, token: proofs.tokenOf(saleId, shopperId) });
  });
}
