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
import { slugs } from '../../answers/problem-slugs.js';
import { idParamSchema, pageLimitSchema } from '../../answers/schemas.js';
import { ProblemError } from '../../answers/send-problem.js';
import { withExample } from '../../description/with-example.js';
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

const letterExample = {
  id: 1,
  saleId: 1,
  orderId: '0199a3c2-7f10-7c3a-9d52-4b1e6f8a2c07',
  shopperId: 'dave',
  quantity: 2,
  source: 'queue',
  reason: 'force-fail',
  error: 'The order was sent with forceFail.',
  deliveries: 1,
  status: 'COMPENSATED',
  orderStatus: 'FAILED',
  createdAt: '2026-11-20T12:00:00.000Z',
  resolvedAt: null,
} as const satisfies z.input<typeof letterSchema>;

const tags = ['operator'];
const params = z.object({ id: idParamSchema });

const list = {
  operationId: 'listDeadLetters',
  summary: 'List dead letters, newest first',
  callers: 'operators',
  tags,
  querystring: z.strictObject({
    status: z.enum(deadLetterStatuses).optional(),
    before: idParamSchema.optional(),
    limit: pageLimitSchema(1000),
  }),
  response: {
    200: withExample(z.object({ deadLetters: z.array(letterSchema), next: z.int().nullable() }), {
      deadLetters: [letterExample],
      next: null,
    }),
  },
} as const;

const read = {
  operationId: 'getDeadLetter',
  summary: 'Get a dead letter',
  problems: slugs('dead-letter-not-found'),
  callers: 'operators',
  tags,
  params,
  response: { 200: withExample(letterSchema, letterExample) },
} as const;

const resolutionSchema = z.object({
  outcome: z.enum(['replayed', 'discarded', 'already-resolved']),
  dryRun: z.boolean(),
  deadLetter: letterSchema,
});

const resolve = {
  description: 'With `dryRun` the answer says what would happen, and nothing changes.',
  callers: 'operators',
  tags,
  problems: slugs('dead-letter-not-found', 'not-replayable'),
  params,
  body: withExample(
    z
      .strictObject({
        dryRun: z.boolean().default(false).meta({ description: 'Say what would happen, and change nothing' }),
      })
      .nullish(),
    { dryRun: true },
  ),
} as const;

const resolvedAt = '2026-11-20T12:05:00.000Z';

const replay = {
  ...resolve,
  operationId: 'replayDeadLetter',
  summary: 'Retry the queued order or the refund that a dead letter is about',
  response: {
    200: withExample(resolutionSchema, {
      outcome: 'replayed',
      dryRun: true,
      deadLetter: { ...letterExample, status: 'REPLAYED', orderStatus: 'QUEUED', resolvedAt },
    }),
  },
} as const;

const discard = {
  ...resolve,
  operationId: 'discardDeadLetter',
  summary: 'Close a dead letter and leave its order as it is',
  response: {
    200: withExample(resolutionSchema, {
      outcome: 'discarded',
      dryRun: true,
      deadLetter: { ...letterExample, status: 'DISCARDED', resolvedAt },
    }),
  },
} as const;

/** How operators handle work that failed for good. A second replay or discard of a dead letter changes nothing. */
export function registerDeadLetters(app: App, { identity, pool, queue }: DeadLetterParts): void {
  const onRequest = identity.requireOperator;

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

  app.post('/api/admin/dead-letters/:id/replay', { schema: replay, onRequest }, async request => {
    const dryRun = request.body?.dryRun ?? false;
    const resolution = await replayDeadLetter(pool, request.params.id, dryRun);
    const answer = resolutionView(resolution, dryRun);
    // Published after COMMIT; if that fails, the relay publishes it later.
    if (resolution.outcome === 'replayed' && !dryRun && resolution.letter.source !== 'refund') {
      const { orderId, saleId, shopperId, quantity } = resolution.letter;
      await queue.publish([{ orderId, saleId, shopperId, quantity }]).catch(() => {});
    }
    return answer;
  });

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
      throw new ProblemError('not-replayable', 'The compensator has not ended the order yet.');
    case 'not-replayable':
      throw new ProblemError('not-replayable', `The order cannot go back into the queue: ${resolution.why}.`);
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
