import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createDecide } from '../src/ledger/decide.js';
import { expireHolds, findSalesWithLapsedHolds } from '../src/ledger/expire.js';
import { createSettle } from '../src/ledger/settle.js';
import type { Pool } from '../src/platform/postgres.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale, stockOf } from './support/sale.js';

describe('a hold', () => {
  it('takes units and allowance, and gives both back when it lapses', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 3, perUserLimit: 2 });
    const orderId = await hold(pool, saleId, 'a', 2);
    expect(await stockOf(pool, saleId)).toEqual({ allocation: 3, available: 1, reserved: 2, sold: 0 });
    expect((await expireHolds(pool, saleId, 10)).expired).toBe(0);

    await lapse(pool, orderId);
    expect(await findSalesWithLapsedHolds(pool, 10)).toEqual([saleId]);
    expect((await expireHolds(pool, saleId, 10)).expired).toBe(1);
    expect(await stockOf(pool, saleId)).toEqual({ allocation: 3, available: 3, reserved: 0, sold: 0 });
    expect((await expireHolds(pool, saleId, 10)).expired).toBe(0);
    expect(await findSalesWithLapsedHolds(pool, 10)).toEqual([]);
    await hold(pool, saleId, 'a', 2);
  });

  it('is redeemed once', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 3 });
    const orderId = await hold(pool, saleId, 'a', 2);
    const redeem = {
      event: 'redeem',
      orderId,
      shopperId: 'a',
      key: randomUUID(),
      paymentMethod: null,
    } as const;
    const settle = createSettle(pool);
    const stranger = await settle(saleId, [{ ...redeem, shopperId: 'b' }]);
    expect(stranger.decisions[0]?.outcome).toBe('order-not-found');
    const first = await settle(saleId, [redeem, redeem, { ...redeem, key: randomUUID() }]);
    expect(first.decisions.map(({ outcome }) => outcome)).toEqual(['confirmed', 'replayed', 'code-used']);
    expect(await stockOf(pool, saleId)).toEqual({ allocation: 3, available: 1, reserved: 0, sold: 2 });
    const cancel = await settle(saleId, [{ event: 'cancel', orderId, shopperId: 'a' }]);
    expect(cancel.decisions[0]?.outcome).toBe('order-confirmed');
  });
});

async function hold(pool: Pool, saleId: number, shopperId: string, quantity: number): Promise<string> {
  const orderId = randomUUID();
  const { decisions } = await createDecide(pool)(saleId, [
    { orderId, shopperId, quantity, entrance: 'checkout', receivedAtMs: performance.now() },
  ]);
  expect(decisions[0]?.outcome).toBe('reserved');
  return orderId;
}

async function lapse(pool: Pool, orderId: string): Promise<void> {
  await pool.query(
    `update orders set expires_at = clock_timestamp() - interval '1 second' where order_id = $1`,
    [orderId],
  );
}
