import { randomUUID } from 'node:crypto';
import { createAccept } from '../../src/ledger/accept.js';
import { addDeadLetter, compensateLetter, findNewLetters } from '../../src/ledger/dead-letters.js';
import { createDecide } from '../../src/ledger/decide.js';
import { expireHolds } from '../../src/ledger/expire.js';
import { createSettle, type OrderEvent } from '../../src/ledger/settle.js';
import type { Pool } from '../../src/platform/postgres.js';
import { lapse } from './holds.js';
import { createTestSale } from './sale.js';

/** An order that two acts are about to touch. */
export type TouchedOrder = { orderId: string; shopperId: string; saleId: number; paymentId: string };

/** An act on an order. @returns the outcome, `-` if no caller gets one. */
export type Act = (pool: Pool, order: TouchedOrder) => Promise<string>;

const [firstKey, secondKey] = [randomUUID(), randomUUID()];
const redeem = (key: string) => byShopper(order => ({ event: 'redeem', key, paymentMethod: null, ...order }));
const capture = ofPayment(order => ({
  event: 'captured',
  amountMinor: 1999,
  currency: 'EUR',
  reference: 'r',
  ...order,
}));
const saidNo = { reference: null, reason: 'as the provider says' };

/** The acts on an order. Expiry and the compensator take whatever is due, even another order. */
export const acts = {
  redeem: redeem(firstKey),
  redeemAgain: redeem(firstKey),
  redeemOtherKey: redeem(secondKey),
  cancel: byShopper(order => ({ event: 'cancel', ...order })),
  captured: capture,
  capturedAgain: capture,
  declined: ofPayment(order => ({ event: 'declined', ...saidNo, ...order })),
  paymentCanceled: ofPayment(order => ({ event: 'payment-canceled', ...saidNo, ...order })),
  decideQueued,
  decideQueuedAgain: decideQueued,
  async expire(pool, { saleId, orderId }) {
    await lapse(pool, saleId, [orderId]);
    await expireHolds(pool, saleId, 10);
    return '-';
  },
  async fail(pool) {
    await compensateNext(pool);
    return '-';
  },
} satisfies Record<string, Act>;

/** Makes `fail` fail: one dead letter for each order. */
export async function addDeadLetters(pool: Pool, orders: readonly TouchedOrder[]): Promise<void> {
  const why = { source: 'queue', reason: 'force-fail', error: 'as asked for', deliveries: 1 } as const;
  await Promise.all(orders.map(({ saleId, orderId }) => addDeadLetter(pool, { saleId, orderId, ...why })));
}

/** Finishes what a sweep or a compensator has left for the next round because another was in its way. */
export async function finishRounds(pool: Pool, saleId: number): Promise<void> {
  await expireHolds(pool, saleId, 10_000);
  while (await compensateNext(pool));
}

/** Compensates a letter, if one is free. @returns whether it did. */
export async function compensateNext(pool: Pool): Promise<boolean> {
  for (const letterId of await findNewLetters(pool, [], 100))
    if (await compensateLetter(pool, letterId)) return true;
  return false;
}

export const orderKinds = ['held', 'heldAndPaying', 'directAndPaying', 'queued', 'queuedToBePaid'] as const;
export type OrderKind = (typeof orderKinds)[number];

/** A sale with `count` orders of one kind, each of another shopper. */
export async function createOrders(pool: Pool, kind: OrderKind, count: number): Promise<TouchedOrder[]> {
  const isPaid = kind.endsWith('Paying') || kind.endsWith('Paid');
  const { saleId } = await createTestSale(pool, { allocation: count, payment: isPaid ? 'required' : 'none' });
  const requests = Array.from({ length: count }, (_, i) => ({
    orderId: randomUUID(),
    shopperId: `shopper-${i}`,
    quantity: 1,
    receivedAtMs: performance.now(),
    entrance: kind.startsWith('held') ? ('checkout' as const) : ('direct' as const),
  }));
  const orders = requests.map(({ orderId, shopperId }) => ({ orderId, shopperId, saleId, paymentId: '' }));
  if (kind.startsWith('queued')) {
    await createAccept(pool)(saleId, requests);
    return orders;
  }
  await createDecide(pool)(saleId, requests);
  if (kind === 'heldAndPaying') await Promise.all(orders.map(order => acts.redeem(pool, order)));
  const { rows } = await pool.query<{ orderId: string; paymentId: string }>(
    'select order_id as "orderId", payment_id as "paymentId" from payments where sale_id = $1',
    [saleId],
  );
  const payments = new Map(rows.map(row => [row.orderId, row.paymentId]));
  return orders.map(order => ({ ...order, paymentId: payments.get(order.orderId) ?? '' }));
}

function byShopper(eventOf: (order: Pick<TouchedOrder, 'orderId' | 'shopperId'>) => OrderEvent): Act {
  return (pool, { saleId, orderId, shopperId }) => settleOne(pool, saleId, eventOf({ orderId, shopperId }));
}

function ofPayment(eventOf: (order: Pick<TouchedOrder, 'orderId' | 'paymentId'>) => OrderEvent): Act {
  return (pool, { saleId, orderId, paymentId }) => settleOne(pool, saleId, eventOf({ orderId, paymentId }));
}

async function settleOne(pool: Pool, saleId: number, event: OrderEvent): Promise<string> {
  const { decisions } = await createSettle(pool)(saleId, [event]);
  return decisions[0]?.outcome ?? '-';
}

async function decideQueued(pool: Pool, { saleId, ...order }: TouchedOrder): Promise<string> {
  const request = { ...order, quantity: 1, entrance: 'queued' as const, receivedAtMs: performance.now() };
  const { decisions } = await createDecide(pool)(saleId, [request]);
  return decisions[0]?.outcome ?? '-';
}
