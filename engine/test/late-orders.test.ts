import { describe, expect, it } from 'vitest';
import { buryOverdueOrders, readLateOrders } from '../src/ledger/late-orders.js';
import type { Pool } from '../src/platform/postgres.js';
import { startTestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { scrape } from './support/metrics.js';
import { decidedStandings, queueOrder, standingOf } from './support/queued.js';
import { startTestRoles } from './support/roles.js';
import { createTestSale } from './support/sale.js';

const limited = { QUEUED_ORDER_WAIT_MAX_MINUTES: '1' };
const minuteMs = 60_000;

describe('an order that has waited for more than a minute', () => {
  it("counts as late in the operators' metrics, unless its sale is paused", async () => {
    const { url, pool } = await createTestDatabase();
    const [open, paused] = [await createTestSale(pool), await createTestSale(pool)];
    const api = await startTestApi(url, { ENABLE_METRICS: 'true', METRICS_PORT: '0' });
    for (const { productId } of [open, paused]) await queueOrder(api, { productId, userId: 'late' });
    await age(pool, 61);
    await queueOrder(api, { productId: open.productId, userId: 'in time' });
    await api.asOperator('POST', `/api/admin/sales/${paused.saleId}/pause`);

    const late = await readLateOrders(pool);
    expect(late.count).toBe(1);
    expect(late.oldestAgeMs).toBeGreaterThan(minuteMs);
    const text = await scrape(api.metricsUrl);
    expect(text).toContain('\ndoorbuster_late_orders 1\n');
    expect(text).toMatch(/\ndoorbuster_late_orders_oldest_age_seconds [6-9]\d/);
  });

  it('goes on waiting if operators have set no limit', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const api = await startTestApi(url);
    const orderId = await queueOrder(api, { productId, userId: 'a' });
    await age(pool, 86_400);

    await startTestRoles(url, ['scheduler', 'compensator']);

    const isPublishedAgain = async () =>
      (await pool.query('select from orders where retold_at is not null')).rowCount === 1;
    await until('the scheduler has seen it', isPublishedAgain, 20_000);
    expect(await standingOf(api, orderId, 'a')).toBe('QUEUED');
    expect((await pool.query('select from dead_letters')).rowCount).toBe(0);
    await startTestRoles(url, ['worker']);
    expect(await decidedStandings(pool, [orderId])).toEqual(['CONFIRMED']);
  });

  it("becomes a dead letter at an operator's limit, and starts a new wait when it is replayed", async () => {
    const { url, pool } = await createTestDatabase();
    const [open, paused] = [await createTestSale(pool), await createTestSale(pool)];
    const api = await startTestApi(url);
    const orderId = await queueOrder(api, { productId: open.productId, userId: 'a' });
    await queueOrder(api, { productId: paused.productId, userId: 'a' });
    await api.asOperator('POST', `/api/admin/sales/${paused.saleId}/pause`);
    expect(await buryOverdueOrders(pool, minuteMs, 10)).toBe(0);
    await age(pool, 61);

    await startTestRoles(url, ['scheduler', 'compensator'], limited);

    const standing = () => standingOf(api, orderId, 'a');
    await until('it has failed', async () => (await standing()) === 'FAILED waited-too-long', 20_000);
    const { rows } = await pool.query('select dead_letter_id as id, reason from dead_letters');
    expect(rows).toEqual([{ id: expect.any(Number), reason: 'waited-too-long' }]);
    await api.asOperator('POST', `/api/admin/dead-letters/${rows[0].id}/replay`);
    expect(await standing()).toBe('QUEUED replayed-by-operator');
    expect(await buryOverdueOrders(pool, minuteMs, 10)).toBe(0);
    await startTestRoles(url, ['worker']);
    expect(await decidedStandings(pool, [orderId])).toEqual(['CONFIRMED']);
    await expectCleanAudit(pool);
  });
});

/** Moves the time of acceptance of every order back by this much. */
async function age(pool: Pool, seconds: number): Promise<void> {
  for (const [table, column] of [
    ['orders', 'created_at'],
    ['journal', 'at'],
  ]) {
    await pool.query(`update ${table} set ${column} = ${column} - $1 * interval '1 second'`, [seconds]);
  }
}
