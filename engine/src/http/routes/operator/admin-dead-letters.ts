import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  type DeadLetter,
  deadLetterSources,
  deadLetterStatuses,
  discardDeadLetter,
  listDeadLetters,
  type Resolution,
  readDeadLetter,
  replayDeadLetter,
} from '../../../ledger/dead-letters.js';
import type { Pool } from '../../../platform/postgres.js';
import type { OrderQueue } from '../../../queue/order-queue.js';
import { type ProblemSlug, slugs } from '../../answers/problem-slugs.js';
import { idParamSchema, pageLimitSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type DeadLetterParts = { identity: Identity; pool: Pool; queue: OrderQueue };

const letterSchema = z.object({
  id: z.int(),
  saleId: z.int(),
  orderId: z.uuid(),
  shopperId: z.string(),
  quantity: z.int(),
  source: z.enum(deadLetterSources),
  reason: z.string(),
  error: z.string(),
  deliveries: z.int(),
  status: z.enum(deadLetterStatuses),
  orderStatus: z.string(),
  createdAt: z.iso.datetime(),
  resolvedAt: z.iso.datetime().nullable(),
});

const tags = ['operator'];
const params = z.object({ id: idParamSchema });

const list = {
  summary: 'Dead letters, newest first',
  tags,
  querystring: z.strictObject({
    status: z.enum(deadLetterStatuses).optional(),
    before: idParamSchema.optional(),
    limit: pageLimitSchema(1000),
  }),
  response: {
    200: z.object({ deadLetters: z.array(letterSchema), next: z.int().nullable() }),
  },
};

const read = {
  summary: 'One dead letter',
  problems: slugs('dead-letter-not-found'),
  tags,
  params,
  response: { 200: letterSchema },
};

const resolve = (summary: string, problems: readonly ProblemSlug[]) => ({
  summary,
  tags,
  problems,
  params,
  body: z.strictObject({ dryRun: z.boolean().default(false) }).nullish(),
  response: {
    200: z.object({
      outcome: z.enum(['replayed', 'discarded', 'already-resolved']),
      dryRun: z.boolean(),
      deadLetter: letterSchema,
    }),
  },
});

/** What operators do with work that failed for good. A second replay or discard of a letter changes nothing. */
export function registerDeadLetters(app: App, { identity, pool, queue }: DeadLetterParts): void {
  const onRequest = async (request: FastifyRequest) => identity.requireOperator(request);

  app.get('/api/admin/dead-letters', { schema: list, onRequest }, async request => {
    const { status, before, limit } = request.query;
    const letters = await listDeadLetters(pool, { status, before, limit });
    const next = letters.length === limit ? (letters.at(-1)?.deadLetterId ?? null) : null;
    return { deadLetters: letters.map(letterView), next };
  });

  app.get('/api/admin/dead-letters/:id', { schema: read, onRequest }, async request => {
    const letter = await readDeadLetter(pool, request.params.id);
    if (!letter) throw new ProblemError('dead-letter-not-found');
    return letterView(letter);
  });

  const replay = resolve('Try it again: a queued order goes back into the queue, a refund is due again', [
    'dead-letter-not-found',
    'not-replayable',
  ]);
  app.post('/api/admin/dead-letters/:id/replay', { schema: replay, onRequest }, async request => {
    const dryRun = request.body?.dryRun ?? false;
    const resolution = await replayDeadLetter(pool, request.params.id, dryRun);
    const answer = resolutionView(resolution, dryRun);
    // Told after COMMIT; if the queue does not hear of it now, the relay tells it later.
    if (resolution.outcome === 'replayed' && !dryRun && resolution.letter.source !== 'refund') {
      const { orderId, saleId, shopperId, quantity } = resolution.letter;
      await queue.publish([{ orderId, saleId, shopperId, quantity }]).catch(() => {});
    }
    return answer;
  });

  const discard = resolve('Close it: its order stays as it is', ['dead-letter-not-found', 'not-replayable']);
  app.post('/api/admin/dead-letters/:id/discard', { schema: discard, onRequest }, async request => {
    const dryRun = request.body?.dryRun ?? false;
    return resolutionView(await discardDeadLetter(pool, request.params.id, dryRun), dryRun);
  });
}

function resolutionView(resolution: Resolution, dryRun: boolean) {
  switch (resolution.outcome) {
    case 'dead-letter-not-found':
      throw new ProblemError('dead-letter-not-found');
    case 'not-compensated':
      throw new ProblemError('not-replayable', 'The compensator has not ended its order yet.');
    case 'not-replayable':
      throw new ProblemError(
        'not-replayable',
        `Its order can not go back into the queue: ${resolution.why}.`,
      );
    default:
      return { outcome: resolution.outcome, dryRun, deadLetter: letterView(resolution.letter) };
  }
}

function letterView({ deadLetterId, createdAt, resolvedAt, ...letter }: DeadLetter) {
  return {
    id: deadLetterId,
    ...letter,
    createdAt: createdAt.toISOString(),
    resolvedAt: resolvedAt?.toISOString() ?? null,
  };
}
