import type { Queryable } from '../platform/postgres.js';

export type ForgottenOrder = { orderId: string; saleId: number; shopperId: string; quantity: number };

/** An order is forgotten if it is older than everything in the queue by more than publishing ever takes. */
export const publishTakesMaxMs = 15_000;

/**
 * When the message of an order that is still QUEUED is published again: after a minute, then after as long again as the
 * order has waited, then once an hour. An order that waits for hours in a stuck sale has a handful of messages, not
 * hundreds.
 */
export const untilRetold = `least(greatest(interval '1 minute', o.retold_at - o.created_at), interval '1 hour')`;

/**
 * QUEUED orders older than `olderThanMs` whose message is due to be published again, oldest first, at most `limit`. In a
 * paused sale each order is returned once: all of them wait for the resume, and a pause of hours would fill the queue.
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
                    or s.status <> 'paused' and o.retold_at < clock_timestamp() - ${untilRetold})
             order by o.created_at limit $2 for update of o skip locked
           )
           update orders o set retold_at = clock_timestamp()
           from forgotten f where o.sale_id = f.sale_id and o.order_id = f.order_id
           returning o.order_id as "orderId", o.sale_id as "saleId", o.shopper_id as "shopperId", o.quantity`,
    values: [olderThanMs, limit],
  });
  return rows;
}
