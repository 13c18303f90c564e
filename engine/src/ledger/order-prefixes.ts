import type { Queryable } from '../platform/postgres.js';

const prefixBytes = 4;

/** The first 32 bits of an order's id. With a key these are a hash: of 100,000 orders, one in 40,000 ids meets one. */
export function prefixOf(orderId: string): number {
  return Number.parseInt(orderId.slice(0, 2 * prefixBytes), 16) | 0;
}

/**
 * The prefix of every order of a product, in all its sales; undefined if there are more than `ordersMax`.
 *
 * Indexes: sales_by_product, orders_pkey.
 */
export async function readOrderPrefixes(
  db: Queryable,
  productId: number,
  ordersMax: number,
): Promise<Set<number> | undefined> {
  const { rows } = await db.query<{ prefixes: Buffer | null }>({
    name: 'read-order-prefixes',
    text: `select string_agg(substring(uuid_send(order_id) for ${prefixBytes}), ''::bytea) as prefixes from (
             select o.order_id from sales s join orders o using (sale_id) where s.product_id = $1 limit $2
           ) ids`,
    values: [productId, ordersMax + 1],
  });
  const prefixes = rows[0]?.prefixes ?? Buffer.alloc(0);
  if (prefixes.length > ordersMax * prefixBytes) return undefined;
  const read = new Set<number>();
  for (let at = 0; at < prefixes.length; at += prefixBytes) read.add(prefixes.readInt32BE(at));
  return read;
}
