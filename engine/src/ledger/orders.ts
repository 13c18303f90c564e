import type { Queryable } from '../platform/postgres.js';
import { awaitStandby, readReplicated } from './await-standby.js';
import type { Entrance, OrderRecord, OrderStatus } from './order-record.js';

/** An order with its product, and `remaining`, the units of its sale that are available now. */
export type StoredOrder = OrderRecord & {
  orderId: string;
  shopperId: string;
  productId: number;
  /** Whether its sale requires payment for it. */
  isToBePaid: boolean;
  remaining: number;
};

/**
 * Looks up orders by id: one value per id, in the same order; `undefined` if there is no such order. The result is as
 * durable as the answer that acknowledged it.
 */
export async function readOrders(
  db: Queryable,
  orderIds: readonly string[],
): Promise<(StoredOrder | undefined)[]> {
  const rows = await readReplicated<StoredOrder>(db, {
    name: 'read-orders',
    text: `select ${columns}, ${awaitStandby} from ${tables} where o.order_id = any ($1::uuid[])`,
    values: [orderIds],
  });
  const byId = new Map(rows.map(order => [order.orderId, order]));
  return orderIds.map(orderId => byId.get(orderId));
}

/** Omitted fields do not filter. */
export type OrderFilter = {
  saleId?: number | undefined;
  orderId?: string | undefined;
  shopperId?: string | undefined;
  status?: OrderStatus | undefined;
  entrance?: Entrance | undefined;
};

/**
 * Orders that match the filter, which names a sale or an order; by id, at most `limit`, after the id `after`.
 *
 * Index: by sale orders_pkey, reading the sale's orders until enough match; by order orders_one_per_intent. The statement
 * has no name, so it is planned for the filter of each call.
 */
export async function listOrders(
  db: Queryable,
  filter: OrderFilter,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<StoredOrder[]> {
  const { saleId, orderId, shopperId, status, entrance } = filter;
  const { rows } = await db.query<StoredOrder>(
    `select ${columns} from ${tables}
     where ($1::bigint is null or o.sale_id = $1)
       and ($2::uuid is null or o.order_id = $2)
       and ($3::text is null or o.shopper_id = $3)
       and ($4::text is null or o.status = $4)
       and ($5::text is null or o.entrance = $5)
       and ($6::uuid is null or o.order_id > $6)
     order by o.order_id limit $7`,
    [saleId, orderId, shopperId, status, entrance, after, limit],
  );
  return rows;
}

/**
 * A shopper's orders since `from`, newest first, at most `limit`, as durable as those that readOrders finds. Orders have
 * no index by shopper, because each purchase would pay for it; the attempts that made them have one.
 *
 * Index: attempts_by_shopper, then orders_one_per_intent.
 */
export async function listOrdersOf(
  db: Queryable,
  { shopperId, productId, from, limit }: OrdersOf,
): Promise<StoredOrder[]> {
  return readReplicated<StoredOrder>(db, {
    text: `select ${columns}, ${awaitStandby} from ${tables}
           where o.order_id in (
             select order_id from attempts
             where shopper_id = $1 and ($2::bigint is null or product_id = $2) and answered_at >= $3
               and outcome in ('confirmed', 'reserved', 'queued') and order_id is not null
             order by answered_at desc limit $4
           )
           order by o.created_at desc, o.order_id limit $5`,
    values: [shopperId, productId ?? null, from, limit * attemptsPerOrderMax, limit],
  });
}

type OrdersOf = { shopperId: string; productId: number | undefined; from: Date; limit: number };

// One for the acceptance, one for the decision.
const attemptsPerOrderMax = 2;

const tables = 'orders o join sales s on s.sale_id = o.sale_id join stock k on k.sale_id = o.sale_id';
const columns = `o.order_id as "orderId", o.sale_id as "saleId", s.product_id as "productId",
  o.shopper_id as "shopperId", o.quantity, o.total_minor as "totalMinor", o.entrance, o.status, o.reason,
  o.created_at as "createdAt", o.expires_at as "expiresAt", o.prize, s.currency,
  s.payment = 'required' and o.total_minor > 0 as "isToBePaid", k.available as remaining`;
