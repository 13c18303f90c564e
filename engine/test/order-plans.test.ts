import { describe, expect, it, onTestFinished } from 'vitest';
import type { Pool } from '../src/platform/postgres.js';
import { createTestDatabase } from './support/database.js';
import { acceptOrders } from './support/queued.js';
import { createTestSale } from './support/sale.js';

// Plans made without statistics, with thousands of orders in the same state. A scan through those runs once for
// each order of the batch, under the lock of the sale: with 30,000 in the queue, a batch of 500 took 4 to 7 s.
describe.each([
  {
    what: 'deciding queued orders',
    prepare: 'select 1',
    sql: `select decide($1, array_agg(order_id), array_agg(shopper_id), array_agg(1), array_agg(0),
                        array_agg('queued'::text), null)
          from (select * from orders where sale_id = $1 limit 10) asked`,
  },
  {
    what: 'expiring holds',
    prepare: `update orders set status = 'RESERVED', expires_at = clock_timestamp();
              update stock set available = 0, reserved = 5000;
              insert into allowances select sale_id, shopper_id, 1 from orders`,
    sql: 'select expire($1, 10)',
  },
  {
    what: 'recording payments that are due',
    prepare: 'select 1',
    sql: `select await_payments($1, array_agg(order_id), array_agg(gen_random_uuid()), array_agg(null::text))
          from (select * from orders where sale_id = $1 limit 10) asked`,
  },
])('$what', ({ prepare, sql }) => {
  it('finds each order by its id, whatever the statistics say', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, { allocation: 5000 });
    await pool.query('alter table orders set (autovacuum_enabled = off)');
    await acceptOrders(pool, saleId, 5000);
    await pool.query(prepare);

    const plan = await planOf(pool, sql, saleId, /update orders o|insert into payments/);

    expect(plan).toMatch(/Index Scan using orders_one_per_intent on orders\b/);
    expect(plan).not.toMatch(/using orders_(queued|holds|pkey)\w* on orders o\b/);
  });
});

// PostgreSQL holds a server-wide lock from the first notification of a transaction until after its fsync, so that
// all sales would commit one after the other (docs/decisions/0034).
describe('the functions of the ledger', () => {
  it('send no notification inside their transactions', async () => {
    const { pool } = await createTestDatabase();
    expect(await notifying(pool)).toEqual([]);
  });

  it('fail this check when one does', async () => {
    const { pool } = await createTestDatabase();
    await pool.query(`create function tell() returns void language sql as $$ select pg_notify('a', 'b') $$`);
    expect(await notifying(pool)).toEqual(['tell']);
  });
});

async function notifying(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(`
    select proname as name from pg_proc
    where pronamespace = 'public'::regnamespace and prosrc ~* 'notify'`);
  return rows.map(({ name }) => name);
}

// As many as there are orders: a scan through those of a sale would also run under its lock.
describe.each([
  {
    what: 'deciding',
    sql: `select decide($1, array[gen_random_uuid()], array['a'], array[1], array[0], null, null, array['d'], array['d'])`,
    statement: /as payment_first\b/,
  },
  { what: 'expiring holds', sql: 'select expire($1, 10)', statement: /update digest_allowances/ },
  {
    what: 'returning units',
    sql: `select uncount_digests(o) from (select * from orders where sale_id = $1 limit 1) o`,
    statement: /update digest_allowances/,
  },
  {
    what: 'deciding on a late payment',
    sql: `select digests_fit(s, o) from sales s join (select * from orders limit 1) o using (sale_id) where sale_id = $1`,
    statement: /l\.units_max/,
  },
])('$what in a sale that counts by address', ({ sql, statement }) => {
  it('finds each digest by itself, whatever the statistics say', async () => {
    const { pool } = await createTestDatabase();
    const { saleId } = await createTestSale(pool, {
      allocation: 5000,
      perPaymentLimit: 9,
      perAddressLimit: 9,
    });
    await pool.query('alter table digest_allowances set (autovacuum_enabled = off)');
    await acceptOrders(pool, saleId, 5000);
    await pool.query(`update orders set status = 'RESERVED', expires_at = clock_timestamp(), payment_digest = order_id,
                                        address_digest = order_id;
                      update stock set available = 0, reserved = 5000;
                      insert into allowances select sale_id, shopper_id, 1 from orders;
                      insert into digest_allowances
                      select sale_id, kind, order_id, 1 from orders, (values ('payment'), ('address')) k (kind)`);

    const plan = await planOf(pool, sql, saleId, statement);

    const lookUps = [...plan.matchAll(/digest_allowances_pkey on digest_allowances.*\n\s*Index Cond: (.*)/g)];
    expect(lookUps).not.toHaveLength(0);
    for (const [, condition] of lookUps) expect(condition).toMatch(/sale_id.*kind.*digest/);
  });
});

/** The plan with which the given statement ran. */
async function planOf(pool: Pool, sql: string, saleId: number, statement: RegExp): Promise<string> {
  const client = await pool.connect();
  onTestFinished(() => client.release(true));
  const plans: string[] = [];
  client.on('notice', ({ message }) => plans.push(message ?? ''));
  await client.query(`load 'auto_explain'; set auto_explain.log_min_duration = 0;
                      set auto_explain.log_nested_statements = on; set client_min_messages = log`);
  await client.query(sql, [saleId]);
  return plans.filter(plan => statement.test(plan)).join('\n');
}
