import type { Decide, Decision, PurchaseRequest } from '../../src/ledger/decide.js';
import { type BatchQueueOptions, createBatchQueue } from '../../src/orders/batch-queue.js';
import { createStuckSales } from '../../src/orders/stuck-sales.js';

export const stock = { saleId: 1, allocation: 10, available: 10, reserved: 0, sold: 0, version: 1 };

/** A ledger in which each call waits until the test commits it or makes it fail. */
export function createLedger() {
  const batches: string[][] = [];
  let calls: { commit: () => void; fail: (error: Error) => void }[] = [];
  const decide: Decide = (saleId, requests) => {
    batches.push(requests.map(({ shopperId }) => shopperId));
    return new Promise((resolve, reject) => {
      const decisions = requests.map(() => ({ outcome: 'sold-out' as const }));
      calls.push({ commit: () => resolve({ decisions, stock: { ...stock, saleId } }), fail: reject });
    });
  };
  const settle = (how: (call: (typeof calls)[number]) => void) => {
    for (const call of calls) how(call);
    calls = [];
  };
  return {
    decide,
    batches,
    commit: () => settle(call => call.commit()),
    fail: (error: Error) => settle(call => call.fail(error)),
    async called(times: number) {
      for (let turns = 0; batches.length < times; turns++) {
        if (turns > 100_000) throw new Error(`decide() was called ${batches.length} times, not ${times}`);
        await turn();
      }
    },
  };
}

export function createQueue(
  decide: Decide,
  options: Partial<BatchQueueOptions<PurchaseRequest, Decision>> = {},
) {
  const events = { onStock: () => {}, onEnd: () => {}, onPoison: () => {}, onBroken: () => {} };
  const bounds = { deadlineMs: 2000, queueMax: 100, batchMax: 100, stuckSales: createStuckSales(1) };
  return createBatchQueue({ decide, ...events, ...bounds, ...options });
}

export function request(shopperId: string): PurchaseRequest {
  return { orderId: `order-of-${shopperId}`, shopperId, quantity: 1, receivedAtMs: 0 };
}

export function databaseError(code: string): Error {
  return Object.assign(new Error(`SQLSTATE ${code}`), { code });
}

export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
}
