import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { z } from 'zod';
import type { Pool } from '../src/platform/postgres.js';
import { until } from './support/condition.js';
import { apiKey, secrets } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { createDataDir, startEngine } from './support/engine.js';
import { expectBooksAgree, paymentStepsOf, stepsOf, untilSettled } from './support/paid-orders.js';
import { talkToSandbox } from './support/paid-shop.js';
import { createTestSale } from './support/sale.js';

const roundsCount = 3;
const shoppersPerRound = 4;

/** A purchase under its key, which a client keeps in order to send it again. */
type Intent = { userId: string; key: string; productId?: number; code?: string };

it('kill -9 after the capture and before its answer: one charge, and a retry gets the same order', async () => {
  const { url, pool } = await createTestDatabase();
  // Every hold of the second sale has lapsed before the reconciler asks.
  const lasting = await createTestSale(pool, { payment: 'required' });
  const brief = await createTestSale(pool, { payment: 'required', holdTtlSeconds: 3 });
  const dataDir = await createDataDir();
  const start = () => startShop(dataDir, url);

  const intents: Intent[] = [];
  for (let round = 0; round < roundsCount; round++) {
    const shop = await start();
    const { captured } = await shop.totals();
    const now = await createIntents(shop, [lasting.productId, brief.productId], round);
    await shop.behave({ mode: 'hang' });
    const answers = Promise.allSettled(now.map(shop.buy));
    await until('the money is taken', async () => (await shop.totals()).captured >= captured + now.length);
    await shop.kill();
    await answers;
    intents.push(...now);
  }

  const shop = await start();
  await untilSettled(pool, 60_000);
  const orderIds = await findOrders(pool);
  expect(orderIds.size).toBe(intents.length);
  for (const intent of intents) {
    const orderId = orderIds.get(intent.userId) ?? '';
    const steps = await stepsOf(pool, orderId);
    expect([['RESERVED', 'CONFIRMED'], lateSteps]).toContainEqual(steps);
    expect(await paymentStepsOf(pool, orderId)).toHaveLength(2);
    expect(await shop.buy(intent)).toEqual({ status: 200, orderId });
  }
  expect(await shop.totals()).toMatchObject({ captured: intents.length, refunded: 0 });
  await expectBooksAgree({ pool, totals: shop.totals });
}, 180_000);

const lateSteps = ['RESERVED', 'EXPIRED hold-lapsed', 'CONFIRMED late-payment'];

type Shop = Awaited<ReturnType<typeof startShop>>;

/** Half of them direct, half with the code of a checkout. */
async function createIntents({ checkOut }: Shop, productIds: readonly number[], round: number) {
  const intents = productIds.flatMap(productId =>
    Array.from({ length: shoppersPerRound }, async (_, shopper): Promise<Intent> => {
      const userId = `${productId}-${round}-${shopper}`;
      const intent = { userId, key: randomUUID() };
      return shopper % 2 === 0
        ? { ...intent, productId }
        : { ...intent, code: await checkOut(productId, userId) };
    }),
  );
  return Promise.all(intents);
}

const answerSchema = z.looseObject({
  order: z.looseObject({ id: z.string() }).optional(),
  code: z.string().optional(),
});

/** The built engine with everything in one process, including its sandbox, on the test's database. */
async function startShop(dataDir: string, databaseUrl: string) {
  const engine = await startEngine(dataDir, {
    DATABASE_URL: databaseUrl,
    API_KEY: apiKey,
    SECRET_KEY: secrets.secretKey,
  });
  const sandboxUrl = await until(
    'the sandbox has printed its address',
    () => /sandbox at (\S+)/.exec(engine.output())?.[1],
  );
  const post = async (path: string, body: object, key: string) => {
    const headers = {
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    };
    const answer = await fetch(`${engine.url}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: answerSchema.parse(await answer.json()) };
  };
  return {
    ...talkToSandbox(sandboxUrl),
    kill: () => engine.kill('SIGKILL'),
    async checkOut(productId: number, userId: string): Promise<string> {
      return z.string().parse((await post('/api/checkout', { productId, userId }, randomUUID())).body.code);
    },
    async buy({ key, ...body }: Intent) {
      const answer = await post('/api/purchase', body, key);
      return { status: answer.status, orderId: answer.body.order?.id };
    },
  };
}

async function findOrders(pool: Pool): Promise<Map<string, string>> {
  const { rows } = await pool.query<{ shopperId: string; orderId: string }>(
    'select shopper_id as "shopperId", order_id as "orderId" from orders',
  );
  return new Map(rows.map(({ shopperId, orderId }) => [shopperId, orderId]));
}
