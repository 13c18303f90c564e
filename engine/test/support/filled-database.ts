import { randomUUID } from 'node:crypto';
import { createSpendChallenge } from '../../src/admission/proofs/spend-challenge.js';
import { createAllocateRange } from '../../src/ids/allocate-range.js';
import { createKeepPartitions } from '../../src/ledger/attempt-partitions.js';
import { createAttempts } from '../../src/ledger/attempts.js';
import { createDecide } from '../../src/ledger/decide.js';
import { shareQueueAge } from '../../src/ledger/queue-watch.js';
import { createSettle } from '../../src/ledger/settle.js';
import { createSumSold } from '../../src/ledger/sum-sold.js';
import { addOperatorAction } from '../../src/operators/actions.js';
import { createOperatorSessions } from '../../src/operators/sessions.js';
import { runOnce } from '../../src/platform/jobs/run-jobs.js';
import type { Pool } from '../../src/platform/postgres.js';
import { createPostgresQueue } from '../../src/queue/postgres-queue.js';
import { createRehearsal } from '../../src/rehearsals/rehearsal.js';
import { createEndpoint, webhookEventTypes } from '../../src/webhooks/endpoints.js';
import { createSeal } from '../../src/webhooks/seal.js';
import { createTellWebhooks } from '../../src/webhooks/tell.js';
import { secrets } from './config.js';
import { type Act, acts, addDeadLetters, createOrders, type OrderKind, orderKinds } from './order-acts.js';
import { acceptOrders } from './queued.js';
import { createTestSale, openAndClose } from './sale.js';
import { at, createHourly } from './series.js';

/**
 * Writes some of everything that the database can hold, with the engine's own functions: orders and payments of
 * every status, and at least one row in every table.
 *
 * @returns the id of an order that waits in the queue, in a sale with units left.
 */
export async function fillDatabase(pool: Pool): Promise<string> {
  await runOnce(createKeepPartitions(pool, 90));
  // Before the orders, since a webhook receives only later events.
  await addWebhook(pool);
  await createHourly(pool, at(0));
  for (const kind of orderKinds) await liveThrough(pool, kind);
  await buyWithProofs(pool);
  await refuse(pool);
  const waiting = await queue(pool);
  await addOperator(pool);
  await createAllocateRange(pool, 'user')(1, 5);
  await openAndClose(pool);
  await runOnce(createSumSold(pool));
  await runOnce(createTellWebhooks({ pool, pendingMax: 100 }));
  return waiting;
}

const refunded: Act = async (pool, { saleId, orderId, paymentId }) => {
  const { decisions } = await createSettle(pool)(saleId, [{ event: 'refunded', orderId, paymentId }]);
  return decisions[0]?.outcome ?? '-';
};
const fail: Act = async (pool, order) => {
  await addDeadLetters(pool, [order]);
  return acts.fail(pool);
};

/** What happens to each order of a kind. */
const lives: Record<OrderKind, readonly (readonly Act[])[]> = {
  held: [[], [acts.redeem], [acts.cancel], [acts.expire]],
  heldAndPaying: [[], [acts.captured]],
  directAndPaying: [
    [],
    [acts.captured],
    [acts.declined],
    [acts.paymentCanceled],
    [acts.cancel, acts.captured],
    [acts.cancel, acts.captured, refunded],
  ],
  queued: [[], [acts.decideQueued], [acts.cancel], [fail]],
  queuedToBePaid: [[acts.decideQueued]],
};

async function liveThrough(pool: Pool, kind: OrderKind): Promise<void> {
  const orders = await createOrders(pool, kind, lives[kind].length);
  for (const [position, order] of orders.entries())
    for (const act of lives[kind][position] ?? []) await act(pool, order);
}

async function addWebhook(pool: Pool): Promise<void> {
  await createEndpoint(pool, createSeal(secrets.secretKey), {
    url: 'https://shop.example/',
    description: 'the warehouse',
    events: [...webhookEventTypes],
  });
}

/** Buys in a sale that has every term a sale can have. */
async function buyWithProofs(pool: Pool): Promise<void> {
  const terms = {
    perPaymentLimit: 3,
    perAddressLimit: 3,
    prizeOdds: 1,
    challenge: 1000,
    requiresToken: true,
  };
  const { saleId } = await createTestSale(pool, terms);
  const request = { orderId: randomUUID(), shopperId: 'ann', quantity: 2, receivedAtMs: performance.now() };
  const spending = { challenge: 'solved', expiresAt: new Date(Date.now() + 60_000) };
  await createSpendChallenge(pool)({ ...spending, saleId, orderId: request.orderId });
  await createDecide(pool)(saleId, [{ ...request, digests: { payment: 'a card', address: 'a house' } }]);
}

async function refuse(pool: Pool): Promise<void> {
  const { saleId, productId } = await createTestSale(pool);
  const attempts = createAttempts({
    pool,
    clock: { nowMs: () => Date.now(), errorMs: () => 0, calibrate: async () => {} },
    bufferMax: 10,
    onError(error) {
      throw error;
    },
  });
  const asked = { saleId, productId, shopperId: 'bob', quantity: 1, receivedAtMs: performance.now() };
  attempts.record({ ...asked, orderId: null, outcome: 'sold-out' });
  await attempts.close(5000);
}

/** Queues orders, of which one is rejected and one waits. @returns the id of the waiting one. */
async function queue(pool: Pool): Promise<string> {
  const orderQueue = createPostgresQueue({ pool });
  const soldOut = await createTestSale(pool, { allocation: 1 });
  const accepted = await acceptOrders(pool, soldOut.saleId, 2, orderQueue);
  const requests = accepted.map(order => ({ ...order, entrance: 'queued' as const, receivedAtMs: 0 }));
  await createDecide(pool)(soldOut.saleId, requests);
  const open = await createTestSale(pool);
  const [waiting] = await acceptOrders(pool, open.saleId, 1, orderQueue);
  if (!waiting) throw new Error('no order was accepted');
  await orderQueue.close();
  await shareQueueAge(pool, 0);
  return waiting.orderId;
}

async function addOperator(pool: Pool): Promise<void> {
  const [operator, ip, sessionId] = ['ada', '192.0.2.7', randomUUID()];
  const session = { sessionId, operator, ip, userAgent: 'a browser', secretMark: 'mark', ttlSeconds: 3600 };
  await createOperatorSessions(pool, ['mark']).create(session);
  const where = { action: 'POST /api/admin/sales', target: '/api/admin/sales', detail: '{}' };
  const action = { ...where, operator, sessionId, ip, requestId: 'request-1' };
  await addOperatorAction(pool, action, { status: 201, outcome: 'ok' });
  const load = { allocation: 10, shoppers: 10, ratePerSecond: 5, seconds: 1 };
  await createRehearsal(pool, { operator, ...load });
}
