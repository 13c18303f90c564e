import { onlyRow } from '../platform/only-row.js';
import type { Pool, Queryable } from '../platform/postgres.js';
import { type Stock, type StockColumns, stockFrom } from './stock.js';

/** Ends lapsed holds of a sale, at most `limit`, and returns their units. @returns how many, and the stock after it. */
export async function expireHolds(
  pool: Pool,
  saleId: number,
  limit: number,
): Promise<{ expired: number; stock: Stock }> {
  const { rows } = await pool.query<StockColumns & { expired: number }>({
    name: 'expire',
    text: 'select * from expire($1, $2)',
    values: [saleId, limit],
  });
  const row = onlyRow(rows, 'expire()');
  return { expired: row.expired, stock: stockFrom(saleId, row) };
}

/**
 * Sales that have lapsed holds, without those in `except`, at most `limit`. The walk steps from sale to sale along
 * orders_holds_by_deadline: it costs two look-ups per sale with holds, however many holds there are.
 */
export async function findSalesWithLapsedHolds(
  db: Queryable,
  except: readonly number[],
  limit: number,
): Promise<number[]> {
  const { rows } = await db.query<{ sale_id: number }>({
    name: 'find-sales-with-lapsed-holds',
    text: `with recursive held as (
             (select sale_id, expires_at from orders where status = 'RESERVED' order by sale_id, expires_at limit 1)
             union all
             select next.sale_id, next.expires_at from held cross join lateral (
               select sale_id, expires_at from orders
               where status = 'RESERVED' and sale_id > held.sale_id order by sale_id, expires_at limit 1
             ) next
           )
           select sale_id from held where expires_at <= clock_timestamp() and sale_id <> all ($1) limit $2`,
    values: [except, limit],
  });
  return rows.map(row => row.sale_id);
}
