import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDecide, type PurchaseRequest } from '../src/ledger/decide.js';
import { orderIdOf } from '../src/orders/order-id.js';
import type { Pool } from '../src/platform/postgres.js';
import { expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale, stockOf } from './support/sale.js';

describe('decide: one batch', () => {
  it('grants first-fit in order of arrival: a refused request takes nothing, and a later smaller one may still fit', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 10 });

    const outcomes = await decideOutcomes(pool, saleId, [
      request('a', 6),
      request('b', 5), // does not fit into the 4 units left
      request('c', 4), // fits
      request('d', 1),
    ]);

    expect(outcomes).toEqual(['confirmed', 'sold-out', 'confirmed', 'sold-out']);
    expect(await stockOf(pool, saleId)).toEqual({ allocation: 10, available: 0, reserved: 0, sold: 10 });
  });

  it('counts only granted units against a buyer', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { perUserLimit: 5 });

    const requests = [4, 3, 1, 1].map((quantity, i) => request('a', quantity, `k${i}`));

    expect(await decideOutcomes(pool, saleId, requests)).toEqual([
      'confirmed',
      'limit-reached',
      'confirmed',
      'limit-reached',
    ]);
  });

  it('reports the units left right after each request', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 10 });

    const { decisions } = await createDecide(pool)(saleId, [request('a', 3), request('b', 2)]);

    expect(decisions.map(decision => ('order' in decision ? decision.remaining : undefined))).toEqual([7, 5]);
  });

  it('answers the same id twice in one batch with one order', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool);

    const { decisions } = await createDecide(pool)(saleId, [
      request('a', 2),
      request('a', 2),
      request('a', 3),
    ]);

    expect(decisions.map(({ outcome }) => outcome)).toEqual(['confirmed', 'replayed', 'key-reused']);
    const [first, second] = decisions;
    expect(second).toMatchObject({ order: first && 'order' in first ? first.order : {} });
    await expectCleanAudit(pool);
  });

  it('replays an order after its sale is sold out, paused, and over', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 1 });
    await decideOutcomes(pool, saleId, [request('a', 1)]);
    await pool.query(`update sales set status = 'ended' where sale_id = $1`, [saleId]);

    expect(await decideOutcomes(pool, saleId, [request('a', 1), request('b', 1)])).toEqual([
      'replayed',
      'sale-not-open',
    ]);
  });

  it("finds a key's order in an earlier sale of the product, and refuses the key for another product", async () => {
    const { pool } = await createTestDatabase();
    const first = await createTestSale(pool);
    const other = await createTestSale(pool);
    await decideOutcomes(pool, first.saleId, [request('a', 1)]);
    const { rows } = await pool.query<{ id: number }>(
      `insert into sales (product_id, starts_at, ends_at, per_user_limit, price_minor, currency)
       select product_id, ends_at, ends_at + interval '1 hour', 1, 1, 'EUR' from sales where sale_id = $1
       returning sale_id as id`,
      [first.saleId],
    );
    const nextId = rows[0]?.id ?? 0;
    await pool.query('insert into stock (sale_id, allocation, available) values ($1, 5, 5)', [nextId]);

    expect(await decideOutcomes(pool, nextId, [request('a', 1)])).toEqual(['replayed']);
    expect(await decideOutcomes(pool, other.saleId, [request('a', 1)])).toEqual(['key-reused']);
  });

  it("opens and closes a sale by the database's clock", async () => {
    const { pool } = await createTestDatabase();
    const upcoming = await createTestSale(pool, { startsInMs: 60_000 });
    const over = await createTestSale(pool, { startsInMs: -60_000, endsInMs: -1000 });

    expect(await decideOutcomes(pool, upcoming.saleId, [request('a', 1)])).toEqual(['sale-not-open']);
    expect(await decideOutcomes(pool, over.saleId, [request('a', 1)])).toEqual(['sale-not-open']);
  });

  it('stores names that look like SQL or array syntax verbatim', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool);
    const names = [
      `' or 1=1--`,
      '{"a","b"}',
      'back\\slash',
      'quote"quote',
      'NULL',
      'a,b',
      ' spaced ',
      '名前',
      '🛒',
    ];

    await decideOutcomes(
      pool,
      saleId,
      names.map(name => request(name, 1)),
    );

    const { rows } = await pool.query<{ name: string }>('select shopper_id as name from orders');
    expect(rows.map(({ name }) => name).sort()).toEqual(names.sort());
  });
});

describe('decide, compared with a model', () => {
  type Step = { shopper: number; key: number; quantity: number };
  const step = fc.record({ shopper: fc.nat(4), key: fc.nat(3), quantity: fc.integer({ min: 1, max: 6 }) });
  const batches = fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 });

  it('gives every batch the outcomes of deciding its requests one by one', async () => {
    const { pool } = await createTestDatabase();
    const property = fc.asyncProperty(batches, fc.integer({ min: 1, max: 30 }), async (steps, allocation) => {
      const { saleId } = await createTestSale(pool, { allocation, perUserLimit: 5 });
      const model = createModel(allocation, 5);
      for (const batch of steps) {
        const requests = batch.map(({ shopper, key, quantity }: Step) =>
          request(`${saleId}-${shopper}`, quantity, `k${key}`),
        );
        expect(await decideOutcomes(pool, saleId, requests)).toEqual(requests.map(model.decide));
      }
      expect((await stockOf(pool, saleId)).available).toBe(model.left());
    });
    await fc.assert(property, { numRuns: 150 });
    await expectCleanAudit(pool);
  });
});

/** Decides one request after the other, in the simplest way. */
function createModel(allocation: number, limit: number) {
  const orders = new Map<string, number>();
  const units = new Map<string, number>();
  let left = allocation;
  function decide({ orderId, shopperId, quantity }: PurchaseRequest): string {
    const known = orders.get(orderId);
    if (known !== undefined) return known === quantity ? 'replayed' : 'key-reused';
    const taken = units.get(shopperId) ?? 0;
    if (quantity > limit) return 'limit-reached';
    if (quantity > left) return 'sold-out';
    if (taken + quantity > limit) return 'limit-reached';
    orders.set(orderId, quantity);
    units.set(shopperId, taken + quantity);
    left -= quantity;
    return 'confirmed';
  }
  return { decide, left: () => left };
}

function request(shopperId: string, quantity: number, key = 'k'): PurchaseRequest {
  return { orderId: orderIdOf(shopperId, key), shopperId, quantity, receivedAtMs: performance.now() };
}

async function decideOutcomes(
  pool: Pool,
  saleId: number,
  requests: readonly PurchaseRequest[],
): Promise<string[]> {
  const { decisions } = await createDecide(pool)(saleId, requests);
  return decisions.map(({ outcome }) => outcome);
}
