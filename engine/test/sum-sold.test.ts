import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createDecide } from '../src/ledger/decide.js';
import { createSettle } from '../src/ledger/settle.js';
import { createSumSold } from '../src/ledger/sum-sold.js';
import { runOnce } from '../src/platform/jobs/run-jobs.js';
import type { Pool } from '../src/platform/postgres.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';

describe('the sums of what was sold', () => {
  it('equal the confirmed orders by sale and hour while sales go on, with several processes summing at once', async () => {
    const { pool } = await createTestDatabase();
    const sales = [await createTestSale(pool), await createTestSale(pool, { priceMinor: 5 })];
    const runs = [createSumSold(pool), createSumSold(pool)];
    let isOver = false;
    const summing = runs.map(async run => {
      while (!isOver) expect((await runOnce(run)).failures).toEqual([]);
    });
    for (let turn = 0; turn < 20; turn++)
      for (const { saleId } of sales) {
        await buy(pool, saleId);
        await redeemLater(pool, saleId);
      }
    isOver = true;
    await Promise.all(summing);

    await runOnce(createSumSold(pool));
    expect(await summed(pool)).toEqual(await counted(pool));
    expect(await summed(pool)).toHaveLength(4);
  });

  it('are recomputed for a sale whose sums do not add up, and left alone otherwise', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool);
    await buy(pool, saleId);
    const run = createSumSold(pool);
    await runOnce(run);
    const before = await summed(pool);
    expect(before).toEqual(await counted(pool));

    // As after a clock was set back by an hour: current sales are older than what is summed.
    await pool.query(`update sold_summed set up_to = up_to + interval '1 hour'`);
    await buy(pool, saleId);
    expect(await runOnce(run)).toEqual({ count: 1, failures: [] });
    expect(await summed(pool)).toEqual(await counted(pool));
    expect(await runOnce(run)).toEqual({ count: 0, failures: [] });
  });

  it('keep no other sale waiting for one whose journal and stock disagree, and name it', async () => {
    const { pool } = await createTestDatabase();
    const broken = await createTestSale(pool);
    const sound = await createTestSale(pool);
    for (const { saleId } of [broken, sound]) await buy(pool, saleId);
    await pool.query('delete from journal where sale_id = $1', [broken.saleId]);

    const { failures } = await runOnce(createSumSold(pool));

    expect(failures.map(({ item }) => item)).toEqual([`sale ${broken.saleId}`]);
    expect(await summed(pool)).toMatchObject([{ saleId: sound.saleId, units: 2 }]);
  });
});

async function buy(pool: Pool, saleId: number): Promise<void> {
  const { decisions } = await createDecide(pool)(saleId, [requestOf()]);
  expect(decisions[0]?.outcome).toBe('confirmed');
}

/** A checkout from two hours ago that is redeemed now: it counts for the hour in which it was made. */
async function redeemLater(pool: Pool, saleId: number): Promise<void> {
  const request = requestOf();
  const { orderId, shopperId } = request;
  await createDecide(pool)(saleId, [{ ...request, entrance: 'checkout' }]);
  await pool.query(`update orders set created_at = created_at - interval '2 hours' where order_id = $1`, [
    orderId,
  ]);
  const redemption = { event: 'redeem', orderId, shopperId, key: orderId, paymentMethod: null } as const;
  await createSettle(pool)(saleId, [redemption]);
}

function requestOf() {
  return { orderId: randomUUID(), shopperId: randomUUID(), quantity: 2, receivedAtMs: performance.now() };
}

type Sum = { saleId: number; hour: Date; orders: number; units: number; revenue: number };

async function summed(pool: Pool): Promise<Sum[]> {
  const { rows } = await pool.query<Sum>(
    `select sale_id as "saleId", hour, orders, units, revenue_minor as revenue from sold_by_hour order by 1, 2`,
  );
  return rows;
}

async function counted(pool: Pool): Promise<Sum[]> {
  const { rows } = await pool.query<Sum>(
    `select sale_id as "saleId", date_trunc('hour', created_at, 'UTC') as hour, count(*) as orders,
            sum(quantity)::bigint as units, sum(total_minor)::bigint as revenue
     from orders where status = 'CONFIRMED' group by 1, 2 order by 1, 2`,
  );
  return rows;
}
