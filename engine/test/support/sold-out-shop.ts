import { expect } from 'vitest';
import { createSoldOutOrders } from '../../src/admission/sold-out-orders.js';
import { readStock, type Stock } from '../../src/ledger/stock.js';
import { orderIdOf } from '../../src/orders/order-id.js';
import type { Pool } from '../../src/platform/postgres.js';
import { startTestApi } from './api.js';
import { createTestDatabase } from './database.js';
import { createTestSale } from './sale.js';

/** A sale of which all units are sold, one each, and a process's knowledge of it, with the clock and the views in hand. */
export async function createSoldOutShop(units: number, options: { ordersMax?: number } = {}) {
  const { url, pool } = await createTestDatabase();
  const sale = await createTestSale(pool, { allocation: units });
  const api = await startTestApi(url);
  const buyers = Array.from({ length: units }, (_, number) => `buyer-${number}`);
  const orders = await Promise.all(
    buyers.map(userId => api.purchase({ productId: sale.productId, userId, key: 'k' })),
  );
  expect(orders.map(({ status }) => status)).toEqual(orders.map(() => 200));
  const [stock] = await readStock(pool, [sale.saleId]);
  if (!stock) throw new Error('the sale has no stock');
  let shown: Stock | undefined = stock;
  let nowMs = 1_000_000;
  let endedLately = false;
  let isBroken = false;
  let reads = 0;
  let reading: Promise<unknown> = Promise.resolve();
  const errors: unknown[] = [];
  const soldOutOrders = createSoldOutOrders({
    db: {
      query: ((statement: never) => {
        reads += 1;
        const read = isBroken ? Promise.reject(new Error('away')) : pool.query(statement);
        reading = read.catch(() => {});
        return read;
      }) as Pool['query'],
    },
    calendar: { endedLately: () => (endedLately ? sale : undefined) },
    views: { peek: () => shown },
    nowMs: () => nowMs,
    onError: error => errors.push(error),
    ...options,
  });
  const mayExist = (orderId: string) => soldOutOrders.mayExist(sale, orderId);
  const isKnown = () => !mayExist(orderIdOf('nobody', 'x'));
  return {
    soldOutOrders,
    stock,
    orderIds: buyers.map(userId => orderIdOf(userId, 'k')),
    mayExist,
    isKnown,
    errors,
    reads: () => reads,
    show: (next: Stock | undefined) => {
      shown = next;
    },
    endLately: (isLate: boolean) => {
      endedLately = isLate;
    },
    breakDatabase: (broken: boolean) => {
      isBroken = broken;
    },
    pass: (ms: number) => {
      nowMs += ms;
    },
    /** Asks once, and waits for what that reads. */
    async settle() {
      isKnown();
      await reading;
      await new Promise(resolve => setImmediate(resolve));
    },
  };
}
