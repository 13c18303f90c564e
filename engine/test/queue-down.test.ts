import { describe, expect, it } from 'vitest';
import { takeForgottenOrders } from '../src/ledger/forgotten-orders.js';
import type { Pool } from '../src/platform/postgres.js';
import { serviceHeaders, startTestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { readEvents, statuses } from './support/events.js';
import { startPaidShop } from './support/paid-shop.js';
import { decidedStandings, queueOrder, standingOf } from './support/queued.js';
import { clearFaults, faultsEnabled, setFault, startWorkerInTrouble } from './support/queued-faults.js';
import { startTestRoles } from './support/roles.js';
import { createTestSale } from './support/sale.js';

describe('a queue that is down', () => {
  it('costs no order: each is accepted, and the relay publishes it', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const api = await startTestApi(url, faultsEnabled);
    await setFault(api, { place: 'queue', effect: 'error' });
    const orderId = await queueOrder(api, { productId, userId: 'a' });
    expect(await countMessages(pool)).toBe(0);
    await clearFaults(api);
    await age(pool);

    await startTestRoles(url, ['scheduler', 'worker']);

    expect(await decidedStandings(pool, [orderId])).toEqual(['CONFIRMED']);
    await expectCleanAudit(pool);
  });

  it('does not keep shoppers waiting when it does not respond', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const api = await startTestApi(url, faultsEnabled);
    await setFault(api, { place: 'queue', effect: 'hang' });

    const startedAtMs = performance.now();
    await queueOrder(api, { productId, userId: 'a' });

    // Publishing hangs for 5 s.
    expect(performance.now() - startedAtMs).toBeLessThan(4000);
    expect(await countMessages(pool)).toBe(0);
    await clearFaults(api);
    await until('the message has arrived late', async () => (await countMessages(pool)) === 1);
  });
});

describe('a fault at the queue, set in one process', () => {
  it('keeps the worker of another from deciding, and does not count as a failed delivery', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const api = await startTestApi(url, faultsEnabled);
    const orderId = await queueOrder(api, { productId, userId: 'a' });
    const worker = await startWorkerInTrouble(url, pool, api, { place: 'queue', effect: 'error' });

    await until('it has met the fault', () =>
      worker.log.some(line => line.includes('fault was set at the queue')),
    );
    expect(await standingOf(api, orderId, 'a')).toBe('QUEUED');
    await clearFaults(api);

    expect(await decidedStandings(pool, [orderId])).toEqual(['CONFIRMED']);
    await expectCleanAudit(pool);
  });
});

describe('the relay', () => {
  it('publishes a forgotten order once a minute, and only once while its sale is paused', async () => {
    const { url, pool } = await createTestDatabase();
    const [open, paused] = [await createTestSale(pool), await createTestSale(pool)];
    const api = await startTestApi(url);
    const openId = await queueOrder(api, { productId: open.productId, userId: 'a' });
    const pausedId = await queueOrder(api, { productId: paused.productId, userId: 'a' });
    await api.asOperator('POST', `/api/admin/sales/${paused.saleId}/pause`);
    const forgotten = async () => (await takeForgottenOrders(pool, 15_000, 10)).map(({ orderId }) => orderId);
    expect(await forgotten()).toEqual([]);
    await age(pool);

    expect((await forgotten()).sort()).toEqual([openId, pausedId].sort());
    expect(await forgotten()).toEqual([]);
    await pool.query(`update orders set retold_at = retold_at - interval '1 minute'`);
    expect(await forgotten()).toEqual([openId]);
    await api.asOperator('POST', `/api/admin/sales/${paused.saleId}/resume`);
    expect(await forgotten()).toEqual([pausedId]);
  });
});

describe('a queued order that requires payment', () => {
  it('is paid by the worker, once; its stream reports each step', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { payment: 'required' });
    const shop = await startPaidShop(url, { roles: ['api'] });
    const orderId = await queueOrder(shop.api, { productId, userId: 'a', quantity: 2 });
    const reader = await readEvents(`${shop.api.url}/api/orders/${orderId}/events`, {
      ...serviceHeaders,
      'x-user-id': 'a',
    });
    await statuses(reader, 1);

    const declinedId = await queueOrder(shop.api, { productId, userId: 'b', paymentMethod: 'declined' });
    await startTestRoles(url, ['worker'], shop.env);

    expect(await decidedStandings(pool, [orderId, declinedId])).toEqual([
      'CONFIRMED',
      'CANCELLED payment-declined',
    ]);
    expect(await statuses(reader, 3)).toEqual(['QUEUED', 'RESERVED', 'CONFIRMED']);
    expect(await shop.totals()).toMatchObject({ captured: 1, capturedMinor: 2 * 1999 });
    await expectCleanAudit(pool);
  });

  it('is settled before its worker has stopped', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { payment: 'required' });
    const shop = await startPaidShop(url, { roles: ['api'] });
    await shop.behave({ mode: 'ok', latencyMs: 1000 });
    const orderId = await queueOrder(shop.api, { productId, userId: 'a' });
    const worker = await startTestRoles(url, ['worker'], shop.env);
    await until(
      'its payment is in progress',
      async () => (await standingOf(shop.api, orderId, 'a')) === 'RESERVED',
    );

    await worker.drain();

    expect(await standingOf(shop.api, orderId, 'a')).toBe('CONFIRMED');
  });
});

/** Makes every queued order older than publishing can ever take. */
async function age(pool: Pool): Promise<void> {
  await pool.query(`update orders set created_at = created_at - interval '30 seconds'`);
}

async function countMessages(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('select count(*) as count from queue_messages');
  return rows[0]?.count ?? 0;
}
