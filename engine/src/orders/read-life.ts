import { type JournalStep, readSteps } from '../ledger/journal.js';
import { coalesce } from '../platform/batching/coalesce.js';
import type { Queryable } from '../platform/postgres.js';

/** All steps of an order so far, in the order they happened. */
export type ReadLife = (order: { orderId: string; saleId: number }) => Promise<readonly JournalStep[]>;

// As for orders: 500 take a few milliseconds of index look-ups.
const loads = { keysMax: 500, waitersMax: 20_000, deadlineMs: 2000 };

export function createReadLife(db: Queryable): ReadLife {
  return coalesce(async (orders: readonly { orderId: string; saleId: number }[]) => {
    // Two callers may request one order at once.
    const positions = new Map(orders.map(order => [order.orderId, { ...order, afterSeq: 0 }]));
    const steps = await readSteps(db, [...positions.values()]);
    const lives = new Map<string, JournalStep[]>();
    for (const step of steps) lives.set(step.orderId, [...(lives.get(step.orderId) ?? []), step]);
    return orders.map(({ orderId }) => lives.get(orderId) ?? []);
  }, loads);
}

const ends = new Set(['CONFIRMED', 'REJECTED', 'EXPIRED', 'CANCELLED', 'FAILED', 'REFUNDED']);

/** Whether an order may stay in this status. Some of these can still change, by a late payment or a refund. */
export function isEnd(status: string): boolean {
  return ends.has(status);
}
