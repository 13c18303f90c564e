import { describe, expect, it, onTestFinished } from 'vitest';
import { createSale, type Sale } from '../src/catalog/sales.js';
import { orderIdOf } from '../src/orders/order-id.js';
import type { Pool } from '../src/platform/postgres.js';
import { type Answer, startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';
import { createSoldOutShop } from './support/sold-out-shop.js';

const hour = 3_600_000;

describe('a purchase in a sale whose last unit is sold', () => {
  it('is refused from memory alone if its key is new, and gets its order if it has one, at every process', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { allocation: 20 });
    const [first, second] = await Promise.all([startTestApi(url), startTestApi(url)]);
    const buyers = Array.from({ length: 20 }, (_, number) => ({
      productId,
      userId: `buyer-${number}`,
      key: `k-${number}`,
    }));
    const orders = await Promise.all(buyers.map(buyer => first.purchase(buyer)));
    const unlock = await lockOrders(pool, [first, second], productId);

    for (const api of [first, second]) {
      const refused = await api.purchase({ productId, userId: 'late', key: 'new' });
      expect(refused.slug).toBe('sold-out');
    }
    // Under the lock no order can be read, so these wait: they are looked up.
    const again = [first, second].flatMap(api => buyers.map(buyer => api.purchase(buyer)));
    await unlock();
    const replayed = await Promise.all(again);
    expect(replayed.map(({ status }) => status)).toEqual(replayed.map(() => 200));
    expect(replayed.map(idOf)).toEqual([...orders, ...orders].map(idOf));
  });

  it('gets the order that its key made in an earlier window of the product', async () => {
    const { url, pool } = await createTestDatabase();
    const earlier = await createTestSale(pool, { allocation: 5, endsInMs: hour });
    const { productId } = earlier;
    const api = await startTestApi(url);
    const purchase = { productId, userId: 'ann', key: 'ann-1' };
    const made = await api.purchase(purchase);
    // The window ended long enough ago that no purchase can still be under way in it.
    await pool.query(
      `update sales set starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour' where sale_id = $1`,
      [earlier.saleId],
    );
    await openWindow(pool, productId, 1);
    await api.asOperator('POST', `/api/admin/sales/${earlier.saleId}/end`);
    await until('the last unit of the next window is sold', async () => {
      const { slug } = await api.purchase({ productId, userId: 'bob', key: 'bob-1' });
      return slug === undefined;
    });
    await untilKnown(api, productId);

    const retried = await api.purchase(purchase);
    expect([retried.status, idOf(retried)]).toEqual([200, idOf(made)]);
  });
});

describe('what a process knows of the orders in such a sale', () => {
  it('is every order of the product, once they are read, and no other', async () => {
    const shop = await createSoldOutShop(200);
    expect(shop.orderIds.map(shop.mayExist)).toEqual(shop.orderIds.map(() => true));
    await until('they are read', () => !shop.mayExist(orderIdOf('nobody', 'x')));

    expect(shop.orderIds.map(shop.mayExist)).toEqual(shop.orderIds.map(() => true));
    const others = Array.from({ length: 1000 }, (_, number) => orderIdOf('nobody', String(number)));
    // One in 20 million meets the prefix of an order, and is looked up.
    expect(others.filter(shop.mayExist).length).toBeLessThanOrEqual(1);
    expect(shop.reads()).toBe(1);
  });

  it('is nothing while a unit is left, held or unknown, or while a first try in the last window may be under way', async () => {
    const shop = await createSoldOutShop(2);
    for (const stock of [
      undefined,
      { ...shop.stock, allocation: 3, available: 1 },
      { ...shop.stock, reserved: 1, sold: 1 },
    ]) {
      shop.show(stock);
      await shop.settle();
    }
    shop.show(shop.stock);
    shop.endLately(true);
    await shop.settle();
    expect(shop.reads()).toBe(0);

    shop.endLately(false);
    await shop.settle();
    expect(shop.reads()).toBe(1);
  });

  it('is nothing of a product with more orders than fit, which are counted again after ten seconds', async () => {
    const atTheBound = await createSoldOutShop(3, { ordersMax: 3 });
    await until('they are read', () => !atTheBound.mayExist(orderIdOf('nobody', 'x')));

    const above = await createSoldOutShop(4, { ordersMax: 3 });
    await above.settle();
    above.pass(9_999);
    await above.settle();
    expect(above.reads()).toBe(1);
    above.pass(1);
    await above.settle();
    expect(above.reads()).toBe(2);
    expect(above.mayExist(orderIdOf('nobody', 'x'))).toBe(true);
  });

  it('is read again when the stock has another version, at most once a second, when it is ten seconds old, and when it was forgotten', async () => {
    const shop = await createSoldOutShop(2);
    await shop.settle();
    expect(shop.isKnown()).toBe(true);

    shop.show({ ...shop.stock, version: shop.stock.version + 1 });
    shop.pass(999);
    await shop.settle();
    expect([shop.isKnown(), shop.reads()]).toEqual([false, 1]);
    shop.pass(1);
    await shop.settle();
    expect([shop.isKnown(), shop.reads()]).toEqual([true, 2]);

    shop.pass(10_000);
    expect(shop.isKnown()).toBe(false);
    await shop.settle();
    expect([shop.isKnown(), shop.reads()]).toEqual([true, 3]);

    shop.soldOutOrders.forget();
    expect(shop.isKnown()).toBe(false);
    await shop.settle();
    expect([shop.isKnown(), shop.reads()]).toEqual([true, 4]);
  });

  it('is nothing if it cannot be read, and is read again after a second', async () => {
    const shop = await createSoldOutShop(2);
    shop.breakDatabase(true);
    await shop.settle();
    expect([shop.isKnown(), shop.errors.length]).toEqual([false, 1]);

    shop.breakDatabase(false);
    shop.pass(999);
    await shop.settle();
    expect(shop.isKnown()).toBe(false);
    shop.pass(1);
    await shop.settle();
    expect(shop.isKnown()).toBe(true);
  });
});

function idOf({ body }: Answer): string | undefined {
  return body.order?.id;
}

/** Until a refusal of a new key needs no query: it is then answered under a lock that keeps every order from being read. */
async function lockOrders(
  pool: Pool,
  apis: readonly TestApi[],
  productId: number,
): Promise<() => Promise<void>> {
  await Promise.all(apis.map(api => untilKnown(api, productId)));
  const client = await pool.connect();
  await client.query('begin; lock table orders in access exclusive mode');
  const unlock = async () => {
    await client.query('rollback');
    client.release();
  };
  onTestFinished(async () => void (await client.query('rollback').catch(() => {})));
  return unlock;
}

// The first refusal lets the process read the orders, which takes milliseconds.
async function untilKnown(api: TestApi, productId: number): Promise<void> {
  for (let number = 0; number < 3; number++) {
    const { slug } = await api.purchase({ productId, userId: 'probe', key: `probe-${number}` });
    expect(slug).toBe('sold-out');
    await new Promise(resolve => setTimeout(resolve, 200));
  }
}

async function openWindow(pool: Pool, productId: number, allocation: number): Promise<Sale> {
  const created = await createSale(pool, {
    productId,
    startsAt: new Date(Date.now() - 1000),
    endsAt: new Date(Date.now() + hour),
    allocation,
    perUserLimit: 10,
    holdTtlSeconds: 900,
  });
  if (created.outcome !== 'created') throw new Error(created.outcome);
  return created.sale;
}
