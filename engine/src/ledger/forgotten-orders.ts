import type { Queryable } from '../platform/postgres.js';

export type ForgottenOrder = { orderId: string; saleId: number; shopperId: string; quantity: number };

/**
 * QUEUED orders older than `olderThanMs`, oldest first, at most `limit`. Each is given once a minute: told again and not
 * decided by then, it is told again. In a paused sale each is given once, since all of them wait for it to be resumed and
 * a pause of hours would fill the queue.
 */
export async function takeForgottenOrders(
  db: Queryable,
  olderThanMs: number,
  limit: number,
): Promise<ForgottenOrder[]> {
  const { rows } = await db.query<ForgottenOrder>({
    name: 'take-forgotten-orders',
    text: `with forgotten as (
             select o.sale_id, o.order_id from orders o join sales s on s.sale_id = o.sale_id
             where o.status = 'QUEUED' and o.created_at < clock_timestamp() - $1 * interval '1 millisecond'
               and (o.retold_at is null
                    or s.status <> 'paused' and o.retold_at < clock_timestamp() - interval '1 minute')
             order by o.created_at limit $2 for update of o skip locked
           )
           update orders o set retold_at = clock_timestamp()
           from forgotten f where o.sale_id = f.sale_id and o.order_id = f.order_id
           returning o.order_id as "orderId", o.sale_id as "saleId", o.shopper_id as "shopperId", o.quantity`,
    values: [olderThanMs, limit],
  });
  return rows;
}
