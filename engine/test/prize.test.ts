import { describe, expect, it } from 'vitest';
import { createAccept } from '../src/ledger/accept.js';
import { createDecide, type PurchaseRequest } from '../src/ledger/decide.js';
import type { OrderRecord } from '../src/ledger/order-record.js';
import { createSettle } from '../src/ledger/settle.js';
import { orderIdOf } from '../src/orders/order-id.js';
import type { Pool } from '../src/platform/postgres.js';
import { startTestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';
import { createShopper, heldBy } from './support/shopper.js';

const entrances = ['direct', 'checkout', 'queued'] as const;
type Entrance = (typeof entrances)[number];

describe('the prize', () => {
  it.each(entrances)('is null without odds, and always won at 1 in 1: %s', async entrance => {
    const { pool } = await createTestDatabase();
    const plain = await createTestSale(pool);
    const lucky = await createTestSale(pool, { prizeOdds: 1 });

    expect(prizesOf(await buy(pool, plain.saleId, entrance, requests(3)))).toEqual([null, null, null]);
    expect(prizesOf(await buy(pool, lucky.saleId, entrance, requests(3, 'k')))).toEqual([true, true, true]);
    await expectCleanAudit(pool);
  });

  it.each(entrances)(
    'is drawn once and recorded in the journal; a replay returns the same: %s',
    async entrance => {
      const { pool } = await createTestDatabase();
      const { saleId } = await createTestSale(pool, { allocation: 200, prizeOdds: 2 });
      const asked = requests(200);

      const first = prizesOf(await buy(pool, saleId, entrance, asked));
      const again = prizesOf(await buy(pool, saleId, entrance, asked));

      // 200 draws with the same result happen once in 10^59 runs.
      expect(new Set(first)).toEqual(new Set([true, false]));
      expect(again).toEqual(first);
      const { rows } = await pool.query<{ orderId: string; prize: boolean | null; isConfirmed: boolean }>(
        `select order_id as "orderId", prize, to_status = 'CONFIRMED' as "isConfirmed" from journal`,
      );
      const drawn = new Map(rows.filter(row => row.isConfirmed).map(row => [row.orderId, row.prize]));
      expect(asked.map(({ orderId }) => drawn.get(orderId))).toEqual(first);
      expect(rows.filter(row => !row.isConfirmed && row.prize !== null)).toEqual([]);
      await expectCleanAudit(pool);
    },
  );

  it('is won by about one in four of 2,000 purchases at odds of 4', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 2000, prizeOdds: 4 });

    const prizes = prizesOf(await buy(pool, saleId, 'direct', requests(2000)));

    // 500 on average with a deviation of 19.4: 405 and 595 are 4.9 deviations away, which chance exceeds once in
    // 10^6 runs.
    const wins = prizes.filter(prize => prize === true).length;
    expect(prizes.filter(prize => prize === false)).toHaveLength(2000 - wins);
    expect(wins).toBeGreaterThanOrEqual(405);
    expect(wins).toBeLessThanOrEqual(595);
  });

  it('is reported with the purchase, with the order, and to a replay, and never before the code is redeemed', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { prizeOdds: 1 });
    const ann = createShopper(await startTestApi(url), 'ann');

    for (let i = 0; i < 2; i++) {
      expect((await ann.purchase(productId, { key: 'k' })).body.order).toMatchObject({ prize: true });
    }
    const held = await ann.checkout(productId);
    expect(held.body.order).toMatchObject({ prize: null });
    const { code, orderId } = heldBy(held);
    for (let i = 0; i < 2; i++) {
      expect((await ann.redeem(code, { key: 'r' })).body.order).toMatchObject({ prize: true });
    }
    expect((await ann.read(orderId)).body).toMatchObject({ prize: true });
  });
});

/** Buys in the given way; when sent again, it replays. */
async function buy(pool: Pool, saleId: number, entrance: Entrance, asked: PurchaseRequest[]) {
  const batch = asked.map(request => ({ ...request, entrance }));
  if (entrance === 'queued') await createAccept(pool)(saleId, batch);
  const { decisions } = await createDecide(pool)(saleId, batch);
  if (entrance !== 'checkout') return decisions.map(orderOf);
  const redemptions = batch.map(({ orderId, shopperId }) => {
    return { event: 'redeem', orderId, shopperId, key: orderId, paymentMethod: null } as const;
  });
  return (await createSettle(pool)(saleId, redemptions)).decisions.map(orderOf);
}

function orderOf(decided: { outcome: string } | { outcome: string; order: OrderRecord }): OrderRecord {
  if (!('order' in decided)) throw new Error(`no order: ${decided.outcome}`);
  return decided.order;
}

function prizesOf(orders: readonly OrderRecord[]): (boolean | null)[] {
  expect(orders.every(({ status }) => status === 'CONFIRMED')).toBe(true);
  return orders.map(({ prize }) => prize);
}

function requests(count: number, key = ''): PurchaseRequest[] {
  return Array.from({ length: count }, (_, i) => {
    const shopperId = `shopper-${i}`;
    return {
      orderId: orderIdOf(shopperId, `${key}${i}`),
      shopperId,
      quantity: 1,
      receivedAtMs: performance.now(),
    };
  });
}
