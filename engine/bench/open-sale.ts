import type { Pool } from '../dist/platform/postgres.js';

/** Creates a sale that never sells out, for decisions without an API. @returns its id. */
export async function insertOpenSale(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ saleId: number }>(
    `with product as (
       insert into products (name, price_minor, currency) values ('x', 1, 'EUR') returning product_id
     ), sale as (
       insert into sales (product_id, starts_at, ends_at, per_user_limit, price_minor, currency)
       select product_id, now() - interval '1 hour', now() + interval '1 day', 10, 1, 'EUR' from product returning sale_id
     )
     insert into stock (sale_id, allocation, available) select sale_id, 2000000000, 2000000000 from sale
     returning sale_id as "saleId"`,
  );
  const saleId = rows[0]?.saleId;
  if (saleId === undefined) throw new Error('no sale was created');
  return saleId;
}
