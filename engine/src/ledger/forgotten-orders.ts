import type { Queryable } from '../platform/postgres.js';

export type ForgottenOrder = { orderId: string; saleId: number; shopperId: string; quantity: number };

/**
 * QUEUED orders older than `olderThanMs`, oldest first, at most `limit`. Each is given once a minute: told again and not
 * decided by then, it is told again.
 */
export async function takeForgottenOrders(
  db: Queryable,
  olderThanMs: number,
  limit: number,
): Promise<ForgottenOrder[]> {
  const { rows } = await db.query<ForgottenOrder>({
    name: 'take-forgotten-orders',
    text: `with forgotten as (
             select sale_id, order_id from orders
             where status = 'QUEUED' and created_at < clock_timestamp() - $1 * interval '1 millisecond'
               and (retold_at is null or retold_at < clock_timestamp() - interval '1 minute')
             order by created_at limit $2 for update skip locked
           )
           update orders o set retold_at = clock_timestamp()
           from forgotten f where o.sale_id = f.sale_id and o.order_id = f.order_id
           returning o.order_id as "orderId", o.sale_id as "saleId", o.shopper_id as "shopperId", o.quantity`,
    values: [olderThanMs, limit],
  });
  return rows;
}
