import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Pool } from '../src/platform/postgres.js';
import { startTestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { acceptOrders, decidedStandings, queueOrder, standingOf } from './support/queued.js';
import { clearFaults, faultsEnabled, startWorkerInTrouble } from './support/queued-faults.js';
import { startTestRoles } from './support/roles.js';
import { createTestSale, lockStock, type SaleOptions, stockOf } from './support/sale.js';

const quick = { DECISION_DEADLINE_MS: '100' };

describe('a ledger that cannot decide for a while', () => {
  it('fails no order: those of a locked sale are retried less and less often, and those of other sales are decided', async () => {
    const { url, pool, api, productId, saleId } = await start();
    const other = await createTestSale(pool);
    const orderIds = (await acceptOrders(pool, saleId, 50)).map(({ orderId }) => orderId);
    const unlock = await lockStock(pool, saleId);
    const otherId = await queueOrder(api, { productId: other.productId, userId: 'a' });
    await startTestRoles(url, ['worker', 'compensator'], quick);

    expect(await decidedStandings(pool, [otherId])).toEqual(['CONFIRMED']);
    await until('they back off for longer than at first', () => haveRestOf(pool, 2000), 20_000);
    expect(await countStanding(pool, saleId, 'QUEUED')).toBe(50);
    await unlock();
    const later = await queueOrder(api, { productId, userId: 'b' });

    expect(new Set(await decidedStandings(pool, [...orderIds, later]))).toEqual(new Set(['CONFIRMED']));
    expect(await lettersOf(pool)).toEqual([]);
    await expectCleanAudit(pool);
  });

  it('fails no order whose statements fail on every try', async () => {
    const { url, pool, api, productId } = await start();
    const orderId = await queueOrder(api, { productId, userId: 'a' });
    await startWorkerInTrouble(url, pool, api, { place: 'ledger', effect: 'error' }, quick);

    await until('it backs off for longer than at first', () => haveRestOf(pool, 2000), 20_000);
    expect(await standingOf(api, orderId, 'a')).toBe('QUEUED');
    // No try counts: after 20 counted ones it would be a dead letter.
    expect(await deliveriesOf(pool, orderId)).toBeLessThanOrEqual(1);
    await clearFaults(api);

    expect(await decidedStandings(pool, [orderId])).toEqual(['CONFIRMED']);
    expect(await lettersOf(pool)).toEqual([]);
    await expectCleanAudit(pool);
  });
});

describe('a poison message', () => {
  it('that PostgreSQL rejects is a dead letter at once; its neighbours in the batch are decided', async () => {
    const { url, pool, api, productId } = await start();
    await pool.query(`alter table orders add constraint poison
                      check (shopper_id <> 'poison' or status not in ('CONFIRMED', 'REJECTED'))`);
    const shoppers = ['a', 'b', 'poison', 'c', 'd'];
    const orderIds = await Promise.all(shoppers.map(userId => queueOrder(api, { productId, userId })));

    const { log } = await startTestRoles(url, ['worker', 'compensator']);

    const standings = await decidedStandings(pool, orderIds);
    expect(standings).toEqual(shoppers.map(name => (name === 'poison' ? 'FAILED undecided' : 'CONFIRMED')));
    expect(await lettersOf(pool)).toMatchObject([{ orderId: orderIds[2], deliveries: 1 }]);
    expect(log.some(line => line.includes('PostgreSQL refused a request'))).toBe(true);
    await expectCleanAudit(pool);
  });

  it('about a missing or another order is dropped and logged, and no order suffers', async () => {
    const { url, pool, api, productId, saleId } = await start();
    // An earlier window of the same product, in which the order was not accepted.
    const other = await createTestSale(pool, { startsInMs: -200_000, endsInMs: -100_000 });
    await pool.query('update sales set product_id = $1 where sale_id = $2', [productId, other.saleId]);
    const orderId = await queueOrder(api, { productId, userId: 'a', quantity: 2 });
    const odd = [
      { orderId: randomUUID(), saleId, shopperId: 'a', quantity: 1 },
      { orderId: randomUUID(), saleId: 424_242, shopperId: 'a', quantity: 1 },
      { orderId, saleId, shopperId: 'b', quantity: 2 },
      { orderId, saleId, shopperId: 'a', quantity: 3 },
      { orderId, saleId: other.saleId, shopperId: 'a', quantity: 2 },
      { orderId, saleId, shopperId: '{"\\,\n}', quantity: 2 },
    ];
    for (const message of odd) await plant(pool, message);

    const { log } = await startTestRoles(url, ['worker', 'compensator']);

    expect(await decidedStandings(pool, [orderId])).toEqual(['CONFIRMED']);
    await until('no message is left', async () => (await countMessages(pool)) === 0);
    expect(log.filter(line => line.includes('was dropped')).length).toBe(odd.length);
    expect(await lettersOf(pool)).toEqual([]);
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 98, sold: 2 });
    expect(await stockOf(pool, other.saleId)).toMatchObject({ available: 100, sold: 0 });
    await expectCleanAudit(pool);
  });

  it('that the engine could not even read does not enter the queue', async () => {
    const { pool } = await createTestDatabase();
    const message = { orderId: randomUUID(), saleId: 1, shopperId: 'a', quantity: 1 };
    await expect(plant(pool, { ...message, saleId: '9007199254740992' })).rejects.toThrow('sale_is_exact');
    await expect(plant(pool, { ...message, quantity: 0 })).rejects.toThrow('quantity_is_positive');
  });

  it('whose workers have repeatedly died while handling it is a dead letter', async () => {
    const { url, pool, api, productId } = await start();
    const orderId = await queueOrder(api, { productId, userId: 'a' });
    await pool.query('update queue_messages set deliveries = 20');

    await startTestRoles(url, ['worker', 'compensator']);

    expect(await decidedStandings(pool, [orderId])).toEqual(['FAILED too-many-deliveries']);
    await expectCleanAudit(pool);
  });
});

describe('a queued order that is delivered twice', () => {
  it('is decided once', async () => {
    const { url, pool, api, productId, saleId } = await start();
    const orderId = await queueOrder(api, { productId, userId: 'a' });
    for (let copy = 0; copy < 4; copy++) await plant(pool, { orderId, saleId, shopperId: 'a', quantity: 1 });

    await startTestRoles(url, ['worker']);
    await startTestRoles(url, ['worker']);

    await until('no message is left', async () => (await countMessages(pool)) === 0);
    expect(await decidedStandings(pool, [orderId])).toEqual(['CONFIRMED']);
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: 1 });
    await expectCleanAudit(pool);
  });
});

async function start(sale: SaleOptions = {}) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool, sale);
  return { url, pool, productId, saleId, api: await startTestApi(url, faultsEnabled) };
}

type Planted = { orderId: string; saleId: number | string; shopperId: string; quantity: number };

/** Puts a message in front of all others, bypassing the engine. */
async function plant(pool: Pool, { orderId, saleId, shopperId, quantity }: Planted): Promise<void> {
  await pool.query(
    `insert into queue_messages (order_id, sale_id, shopper_id, quantity, available_at)
     values ($1, $2, $3, $4, clock_timestamp() - interval '1 minute')`,
    [orderId, saleId, shopperId, quantity],
  );
}

async function lettersOf(pool: Pool) {
  const { rows } = await pool.query<{ orderId: string; reason: string; deliveries: number; status: string }>(
    'select order_id as "orderId", reason, deliveries, status from dead_letters',
  );
  return rows;
}

async function deliveriesOf(pool: Pool, orderId: string): Promise<number> {
  const { rows } = await pool.query<{ deliveries: number }>(
    'select deliveries from queue_messages where order_id = $1',
    [orderId],
  );
  return rows[0]?.deliveries ?? 0;
}

async function countMessages(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('select count(*) as count from queue_messages');
  return rows[0]?.count ?? 0;
}

/** Whether a message waits for at least this long from now. */
async function haveRestOf(pool: Pool, restMs: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from queue_messages
     where leased_by is null and available_at > clock_timestamp() + ($1 - 500) * interval '1 millisecond'`,
    [restMs],
  );
  return rowCount !== 0;
}

async function countStanding(pool: Pool, saleId: number, status: string): Promise<number> {
  const { rowCount } = await pool.query('select from orders where sale_id = $1 and status = $2', [
    saleId,
    status,
  ]);
  return rowCount ?? 0;
}
