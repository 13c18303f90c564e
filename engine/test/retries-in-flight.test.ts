import { describe, expect, it } from 'vitest';
import { type Answer, startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { createTestSale } from './support/sale.js';
import { createShopper } from './support/shopper.js';

const patient = { DECISION_DEADLINE_MS: '20000', DB_TIMEOUT: '20000' };

describe('a retry whose first try has not committed yet', () => {
  it('is not refused as sold out while a hold may return, whichever process it reaches', async () => {
    const database = await createTestDatabase();
    const { pool } = database;
    const { productId, saleId } = await createTestSale(pool, { allocation: 1, perUserLimit: 1 });
    const [one, other] = await startTwo(database);
    await createShopper(one, 'holder').checkout(productId);
    const purchase = { productId, userId: 'buyer', key: 'the-key' };
    // Without a key memory refuses, in both processes: all units are held.
    for (const api of [one, other]) {
      await until('it is sold out', async () => {
        const { slug } = await api.purchase({ productId, userId: 'nobody' });
        return slug === 'sold-out';
      });
    }

    const expiry = await pool.connect();
    await expiry.query(
      `begin; set local idle_in_transaction_session_timeout = 0; update orders set expires_at = clock_timestamp() - interval '1 second'`,
    );
    await expiry.query('select expire($1, 10)', [saleId]);
    const first = one.purchase(purchase);
    await untilWaiting(database, 1);
    const retry = other.purchase(purchase);
    await untilWaitingOrAnswered(database, 2, retry);
    await expiry.query('commit');
    expiry.release();

    await expectOneOrder(first, retry);
  }, 120_000);

  it("is not refused for the product's next window while the last one is still committing", async () => {
    const database = await createTestDatabase();
    const { pool } = database;
    const hour = 3_600_000;
    const { productId, saleId } = await createTestSale(pool, { endsInMs: hour });
    await pool.query(
      `with next as (
         insert into sales (product_id, starts_at, ends_at, per_user_limit, price_minor, currency)
         select product_id, starts_at + interval '10 hours', ends_at + interval '10 hours', per_user_limit, price_minor, currency
         from sales where sale_id = $1 returning sale_id
       ) insert into stock (sale_id, allocation, available) select sale_id, 1, 1 from next`,
      [saleId],
    );
    const [one, other] = await startTwo(database);
    for (const api of [one, other]) await api.purchase({ productId, userId: 'first' });
    const purchase = { productId, userId: 'buyer', key: 'the-key' };

    // The first try has found the sale open, and its rows wait for a locked table.
    const holder = await pool.connect();
    await holder.query(
      'begin; set local idle_in_transaction_session_timeout = 0; lock table journal in share mode',
    );
    const first = one.purchase(purchase);
    await untilWaiting(database, 1);
    await pool.query(`update sales set ends_at = clock_timestamp() where sale_id = $1`, [saleId]);
    await pool.query(
      `select pg_notify('doorbuster_catalog', json_build_object('productId', $1::int)::text)`,
      [productId],
    );
    await until('the next window is current', async () => {
      return (await other.request('GET', `/api/stock/${productId}`)).body.state === 'upcoming';
    });
    const retry = other.purchase(purchase);
    await untilWaitingOrAnswered(database, 2, retry);
    await holder.query('rollback');
    holder.release();

    await expectOneOrder(first, retry);
  }, 120_000);
});

async function startTwo({ url }: TestDatabase): Promise<[TestApi, TestApi]> {
  return [await startTestApi(url, patient), await startTestApi(url, patient)];
}

async function expectOneOrder(first: Promise<Answer>, retry: Promise<Answer>): Promise<void> {
  const answers = await Promise.all([first, retry]);
  expect(answers.map(({ status, slug }) => [status, slug])).toEqual([
    [200, undefined],
    [200, undefined],
  ]);
  expect(answers[0].body.order?.id).toBe(answers[1].body.order?.id);
  expect(answers[1].headers.get('idempotency-replayed')).toBe('true');
}

async function untilWaiting(database: TestDatabase, count: number): Promise<void> {
  await until(`${count} wait for a lock`, async () => (await countWaiting(database)) >= count);
}

/** Without the guarantee the retry never waits; then the test judges its answer. */
async function untilWaitingOrAnswered(
  database: TestDatabase,
  count: number,
  retry: Promise<Answer>,
): Promise<void> {
  let isAnswered = false;
  void retry.then(() => {
    isAnswered = true;
  });
  await until(`${count} wait`, async () => isAnswered || (await countWaiting(database)) >= count);
}

async function countWaiting({ pool }: TestDatabase): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rows[0]?.count ?? 0;
}
